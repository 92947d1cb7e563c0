#include <filesystem>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "contra4/io/file.h"
#include "contra4/pipeline/stage.h"
#include "tests/apps/overwriting.h"
#include "tests/apps/run_in_process.h"
#include "tests/support/test_env.h"

namespace contra4::apps {
namespace {

namespace fs = std::filesystem;
using contra4::testing::TempDir;
using ::testing::HasSubstr;

std::string row(const std::string& id) {
  return "{\"id\": \"" + id + "\", \"answer_llama\": [\"A\"]}";
}

// A step with two outputs, as `verify` with two models leaves them.
class DatasetMergeTest : public ::testing::Test {
 protected:
  DatasetMergeTest() { io::write_file_atomically(folder_ / "input", "rows"); }

  pipeline::Stage open(const std::vector<std::string>& names, const Shard& shard,
                       const std::string& settings = "{}") {
    std::vector<fs::path> outputs;
    for (const std::string& name : names) outputs.push_back(folder_ / name);
    return pipeline::Stage::open(outputs,
                                 {.stage = "verify",
                                  .settings_json = settings,
                                  .inputs = {{"questions", folder_ / "input"}},
                                  .shard = shard},
                                 pipeline::WhenChanged::kRefuse);
  }
  void make_shard(int index, const std::string& settings = "{}") {
    const std::string part = fmt::format(".shard-{}-of-2.json", index);
    auto stage = open({"llama" + part, "phi" + part}, {index, 2}, settings);
    for (const char* model : {"llama", "phi"}) {
      io::write_file_atomically(folder_ / (model + part),
                                "[\n" + row(fmt::format("{}_{}", model, index)) + "\n]\n");
    }
    stage.finish({{"questions", 1}});
  }
  std::string path(const std::string& name) const { return (folder_ / name).string(); }

  TempDir folder_;
};

TEST_F(DatasetMergeTest, MergesAllFilesOfAStepWhichThenIsDone) {
  make_shard(1);
  make_shard(2);
  const auto outcome =
      run({"dataset", "merge", path("llama.shard-2-of-2.json"), path("llama.shard-1-of-2.json")});
  ASSERT_EQ(outcome.code, kExitDone) << outcome.err;
  EXPECT_THAT(outcome.err, HasSubstr("phi.json: 2 rows of 2 shards"));
  EXPECT_EQ(io::read_file(folder_ / "llama.json"),
            "[\n" + row("llama_1") + ",\n" + row("llama_2") + "\n]\n");
  EXPECT_EQ(io::read_file(folder_ / "phi.json"),
            "[\n" + row("phi_1") + ",\n" + row("phi_2") + "\n]\n");
  EXPECT_TRUE(open({"llama.json", "phi.json"}, {}).is_done());
}

TEST_F(DatasetMergeTest, AFileOfAnotherNameGetsNoManifest) {
  make_shard(1);
  make_shard(2);
  const auto outcome = run({"dataset", "merge", path("llama.shard-1-of-2.json"),
                            path("llama.shard-2-of-2.json"), path("mine.jsonl")});
  ASSERT_EQ(outcome.code, kExitDone) << outcome.err;
  EXPECT_EQ(io::read_file(folder_ / "mine.jsonl"), row("llama_1") + "\n" + row("llama_2") + "\n");
  EXPECT_FALSE(fs::exists(folder_ / "phi.json"));
  EXPECT_FALSE(fs::exists(folder_ / "mine.manifest.json"));
  EXPECT_THAT(outcome.err, HasSubstr("no manifest is written"));
}

TEST_F(DatasetMergeTest, PassesOverWhatAPatternFindsBesideTheShards) {
  make_shard(1);
  make_shard(2);
  const auto outcome =
      run({"dataset", "merge", path("llama.shard-1-of-2.json"),
           path("llama.shard-1-of-2.manifest.json"), path("llama.shard-2-of-2.json"),
           path("llama.shard-2-of-2.manifest.json"), path("llama.json")});
  EXPECT_EQ(outcome.code, kExitDone) << outcome.err;
  EXPECT_TRUE(fs::exists(folder_ / "llama.json"));
  const auto nothing = run({"dataset", "merge", path("llama.shard-1-of-2.manifest.json")});
  EXPECT_EQ(nothing.code, kExitUsage);
}

TEST_F(DatasetMergeTest, RefusesShardsOfOtherSettings) {
  make_shard(1, R"({"temperature": 0.3})");
  make_shard(2, R"({"temperature": 0.5})");
  const auto outcome =
      run({"dataset", "merge", path("llama.shard-1-of-2.json"), path("llama.shard-2-of-2.json")});
  EXPECT_EQ(outcome.code, kExitFailed);
  EXPECT_THAT(outcome.err, HasSubstr("temperature"));
  EXPECT_FALSE(fs::exists(folder_ / "llama.json"));
}

TEST_F(DatasetMergeTest, RefusesMissingShardsAndFilesThatExist) {
  make_shard(1);
  make_shard(2);
  const auto missing =
      run({"dataset", "merge", path("llama.shard-1-of-2.json"), path("llama.json")});
  EXPECT_EQ(missing.code, kExitFailed);
  EXPECT_THAT(missing.err, HasSubstr("are missing: number 2"));
  expect_overwrites_only_when_asked(
      {"dataset", "merge", path("llama.shard-1-of-2.json"), path("llama.shard-2-of-2.json")});
}

TEST_F(DatasetMergeTest, MergesPlainDataFiles) {
  io::write_file_atomically(folder_ / "a.shard-1-of-2.jsonl", row("x") + "\n");
  io::write_file_atomically(folder_ / "a.shard-2-of-2.jsonl", row("y") + "\n");
  const auto outcome = run({"dataset", "merge", path("a.shard-2-of-2.jsonl"),
                            path("a.shard-1-of-2.jsonl"), path("a.jsonl")});
  EXPECT_EQ(outcome.code, kExitDone) << outcome.err;
  EXPECT_EQ(io::read_file(folder_ / "a.jsonl"), row("x") + "\n" + row("y") + "\n");
  EXPECT_FALSE(fs::exists(folder_ / "a.manifest.json"));
}

TEST_F(DatasetMergeTest, WantsShards) {
  EXPECT_EQ(run({"dataset", "merge", path("a.json")}).code, kExitUsage);
}

}  // namespace
}  // namespace contra4::apps
