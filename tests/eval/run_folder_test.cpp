#include "contra4/eval/run_folder.h"

#include <fstream>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "contra4/io/file.h"
#include "contra4/io/journal.h"
#include "tests/support/error_of.h"
#include "tests/support/test_env.h"

namespace contra4::eval {
namespace {

using contra4::testing::error_of;
using contra4::testing::TempDir;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

RunConfig make_config() {
  RunConfig config;
  config.dataset = "test";
  config.dataset_sha256 = std::string(64, 'a');
  config.num_items = 2335;
  config.model = "openai/gpt-4o-mini";
  config.model_json =
      R"({"family": "openai", "endpoints": ["http://a/v1"], "model": "gpt-4o-mini"})";
  config.input = InputKind::kOracleCaptions;
  config.plan.permutations = Permutations::kCircular;
  config.plan.limit = 100;
  config.plan.shard = {2, 4};
  config.seed = 123;
  config.settings = {{"sampling", R"({"temperature": 0, "top_p": 1})"}};
  return config;
}

TEST(RunFolder, StoresTheConfigurationAndReadsItBack) {
  const TempDir folder;
  const RunFolder run = RunFolder::open(folder / "run", make_config());
  EXPECT_FALSE(run.is_continued());
  const StoredConfig stored = read_config(run.path());
  EXPECT_EQ(stored.dataset, "test");
  EXPECT_EQ(stored.dataset_sha256, std::string(64, 'a'));
  EXPECT_EQ(stored.model, "openai/gpt-4o-mini");
  EXPECT_EQ(stored.input, InputKind::kOracleCaptions);
  EXPECT_EQ(stored.plan.permutations, Permutations::kCircular);
  EXPECT_EQ(stored.plan.limit, 100);
  EXPECT_EQ(stored.plan.shard, (Shard{2, 4}));
  EXPECT_EQ(stored.scoring, scoring::ScoringRule::kChoice);
  EXPECT_EQ(io::read_file(run.config_path()), to_json(make_config())) << "and nothing of today";
}

TEST(RunFolder, SameSettingsContinue) {
  const TempDir folder;
  RunFolder::open(folder / "run", make_config());
  const RunFolder run = RunFolder::open(folder / "run", make_config());
  EXPECT_TRUE(run.is_continued());
  EXPECT_TRUE(run.changes().empty());
}

TEST(RunFolder, EveryOtherSettingIsNamed) {
  const TempDir folder;
  RunFolder::open(folder / "run", make_config());
  RunConfig config = make_config();
  config.dataset_sha256 = std::string(64, 'b');
  config.plan.limit.reset();
  config.settings = {{"sampling", R"({"temperature": 0.5, "top_p": 1, "stop": ["\n"]})"}};
  const Error error = error_of([&] { RunFolder::open(folder / "run", config); });
  EXPECT_EQ(error.code, ErrorCode::kInvalidArgument);
  EXPECT_THAT(error.message, AllOf(HasSubstr("dataset.sha256: \"aaa"), HasSubstr("-> \"bbb"),
                                   HasSubstr("\n  limit: 100 -> null"),
                                   HasSubstr("\n  settings.sampling.temperature: 0 -> 0.5"),
                                   HasSubstr("\n  settings.sampling.stop: (not set) -> [\"\\n\"]"),
                                   HasSubstr("--overwrite"), Not(HasSubstr("top_p"))));
  EXPECT_EQ(io::read_file(folder / "run/config.json"), to_json(make_config())) << "untouched";
}

TEST(RunFolder, ServerAndScoringMayChange) {
  const TempDir folder;
  RunFolder::open(folder / "run", make_config());
  RunConfig config = make_config();
  config.scoring = scoring::ScoringRule::kContains;
  config.model_json =
      R"({"family": "openai", "endpoints": ["http://b/v1"], "model": "gpt-4o-mini"})";
  config.dataset = "renamed";
  const RunFolder run = RunFolder::open(folder / "run", config);
  EXPECT_TRUE(run.is_continued());
  EXPECT_EQ(run.changes().size(), 3U);
  EXPECT_EQ(read_config(run.path()).scoring, scoring::ScoringRule::kContains);
  EXPECT_EQ(default_run_folder(config).filename().string().substr(26),
            default_run_folder(make_config()).filename().string().substr(23));
}

TEST(RunFolder, OverwriteRemovesTheRunAndNothingElse) {
  const TempDir folder;
  RunFolder::open(folder / "run", make_config());
  for (const char* name : {"journal.jsonl", "predictions.json", "report.md", "notes.txt"}) {
    std::ofstream(folder / "run" / name) << "old\n";
  }
  RunConfig config = make_config();
  config.seed = 5;
  const RunFolder run = RunFolder::open(folder / "run", config, true);
  EXPECT_FALSE(run.is_continued());
  EXPECT_FALSE(std::filesystem::exists(run.journal_path()));
  EXPECT_FALSE(std::filesystem::exists(run.predictions_path()));
  EXPECT_FALSE(std::filesystem::exists(run.report_path()));
  EXPECT_TRUE(std::filesystem::exists(folder / "run/notes.txt"));
}

TEST(RunFolder, OverwriteRefusesARunAtWork) {
  const TempDir folder;
  const RunFolder run = RunFolder::open(folder / "run", make_config());
  const io::JournalWriter at_work(run.journal_path());
  const Error error = error_of([&] { RunFolder::open(folder / "run", make_config(), true); });
  EXPECT_EQ(error.code, ErrorCode::kUnavailable);
  EXPECT_TRUE(std::filesystem::exists(run.config_path()));
}

TEST(RunFolder, JournalWithoutConfigurationIsNotContinued) {
  const TempDir folder;
  std::filesystem::create_directory(folder / "run");
  std::ofstream(folder / "run/journal.jsonl") << "{}\n";
  const Error error = error_of([&] { RunFolder::open(folder / "run", make_config()); });
  EXPECT_THAT(error.message, HasSubstr("holds journal.jsonl but no config.json"));
}

TEST(RunFolder, DamagedConfigurationIsToldAndCanBeOverwritten) {
  const TempDir folder;
  std::filesystem::create_directory(folder / "run");
  std::ofstream(folder / "run/config.json") << "{\"contra4\": ";
  EXPECT_EQ(error_of([&] { RunFolder::open(folder / "run", make_config()); }).code,
            ErrorCode::kDataLoss);
  EXPECT_EQ(error_of([&] { read_config(folder / "run"); }).code, ErrorCode::kDataLoss);
  EXPECT_NO_THROW(RunFolder::open(folder / "run", make_config(), true));
  std::ofstream(folder / "run/config.json") << R"({"input": "media"})";
  EXPECT_THAT(error_of([&] { read_config(folder / "run"); }).message, HasSubstr("'permutations'"));
  EXPECT_EQ(error_of([&] { read_config(folder / "nowhere"); }).code, ErrorCode::kNotFound);
}

TEST(RunFolder, FileInTheWayIsTold) {
  const TempDir folder;
  std::ofstream(folder / "run") << "x";
  EXPECT_EQ(error_of([&] { RunFolder::open(folder / "run", make_config()); }).code,
            ErrorCode::kInvalidArgument);
}

TEST(DefaultRunFolder, NamesSetModelAndWhatDecides) {
  RunConfig config = make_config();
  const std::string name = default_run_folder(config).string();
  EXPECT_THAT(name, ::testing::MatchesRegex("runs/test-openai-gpt-4o-mini-[0-9a-f]+"));
  EXPECT_EQ(name.size(), std::string("runs/test-openai-gpt-4o-mini-").size() + 8);
  config.seed = 4;
  EXPECT_NE(default_run_folder(config).string(), name);
  EXPECT_EQ(default_run_folder(config, "/out").parent_path(), "/out");
}

TEST(DefaultRunFolder, HostileNamesStayInTheirFolder) {
  RunConfig config = make_config();
  config.dataset = "../../etc";
  config.model = "exec/rm -rf /; \xF0\x9F\x92\xA3 " + std::string(500, 'x');
  const auto folder = default_run_folder(config);
  EXPECT_EQ(folder.parent_path(), "runs");
  EXPECT_LT(folder.filename().string().size(), 140U);
  EXPECT_THAT(folder.filename().string(), ::testing::StartsWith("etc-exec-rm--rf"));
}

}  // namespace
}  // namespace contra4::eval
