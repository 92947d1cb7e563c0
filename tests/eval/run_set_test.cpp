#include "contra4/eval/run_set.h"

#include <fstream>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "contra4/base/error.h"
#include "contra4/eval/evaluator.h"
#include "contra4/eval/results.h"
#include "tests/eval/eval_fixtures.h"
#include "tests/support/error_of.h"
#include "tests/support/test_env.h"

namespace contra4::eval {
namespace {

using contra4::testing::error_of;
using contra4::testing::TempDir;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::make_dataset;
using testing::say;
using testing::ScriptedAnswerer;

RunConfig config_of(const data::Dataset& dataset) {
  RunConfig config;
  config.dataset = dataset.name;
  config.dataset_sha256 = dataset.sha256;
  config.num_items = static_cast<std::int64_t>(dataset.items.size());
  config.model = "script/model";
  config.model_json = R"({"family": "script"})";
  config.input = InputKind::kOracleCaptions;
  return config;
}

// A whole run by script: right on items with an even number.
std::filesystem::path make_run(const std::filesystem::path& folder, const data::Dataset& dataset,
                               const RunConfig& config) {
  const RunFolder run = RunFolder::open(folder, config);
  const RequestPlan plan(dataset.items, config.plan);
  ScriptedAnswerer answerer([&](const Question& question, int) {
    const PlannedRequest request = plan.request(question.ticket);
    if (question.item_id == "item_5") {
      return testing::fail_with(OutcomeStatus::kFailed, ErrorCode::kUnavailable, "503");
    }
    const int gold = scoring::shown_place(request.order, *dataset.items[request.item].answer);
    const int said =
        request.item % 2 == 0 ? gold : (gold + 1) % static_cast<int>(request.order.size());
    return say(scene_name(said));
  });
  evaluate(plan, answerer, *show_gold_captions(), run.journal_path(), {}, {}, {});
  write_predictions(plan, *show_gold_captions(), run.journal_path(), run.predictions_path());
  return folder;
}

std::vector<Run> load(std::vector<std::filesystem::path> paths, const data::Dataset& dataset) {
  return load_runs(paths, dataset);
}

TEST(RunSet, FolderBringsItsConfigurationAndItsFailures) {
  const TempDir folder;
  const auto dataset = make_dataset(12);
  const auto runs = load({make_run(folder / "run", dataset, config_of(dataset))}, dataset);
  ASSERT_EQ(runs.size(), 1U);
  EXPECT_EQ(runs[0].name, "script/model");
  EXPECT_EQ(runs[0].predictions.rows.size(), 11U);
  EXPECT_EQ(runs[0].selected.size(), 12U);
  ASSERT_TRUE(runs[0].summary);
  EXPECT_EQ(runs[0].summary->failed, 1);
  EXPECT_EQ(runs[0].summary->missed[0].error.message, "503");
}

TEST(RunSet, ShardsAreOneRunWithTheResultsOfTheWhole) {
  const TempDir folder;
  const auto dataset = make_dataset(25);
  RunConfig config = config_of(dataset);
  config.plan.permutations = Permutations::kCircular;
  const ScoringContext context(dataset);
  const auto whole = load({make_run(folder / "whole", dataset, config)}, dataset);
  std::vector<std::filesystem::path> shards;
  for (const int index : {3, 1, 2}) {
    config.plan.shard = {index, 3};
    shards.push_back(make_run(folder / fmt::format("shard{}", index), dataset, config));
  }
  const auto merged = load(shards, dataset);
  ASSERT_EQ(merged.size(), 1U);
  EXPECT_TRUE(merged[0].warnings.empty());
  EXPECT_EQ(merged[0].selected, whole[0].selected);
  EXPECT_EQ(results_to_json(compute_results(context, merged[0])),
            results_to_json(compute_results(context, whole[0])));
}

TEST(RunSet, MissingShardIsNamedAndOneTwiceRefused) {
  const TempDir folder;
  const auto dataset = make_dataset(12);
  RunConfig config = config_of(dataset);
  config.plan.shard = {2, 3};
  const auto path = make_run(folder / "shard", dataset, config);
  const auto runs = load({path}, dataset);
  ASSERT_EQ(runs[0].warnings.size(), 1U);
  EXPECT_THAT(runs[0].warnings[0], HasSubstr("1/3 3/3"));
  EXPECT_EQ(runs[0].selected.size(), 4U);
  EXPECT_THAT(error_of([&] { load({path, path}, dataset); }).message, HasSubstr("given twice"));
}

TEST(RunSet, ShardsOfOtherSettingsAreOtherRuns) {
  const TempDir folder;
  const auto dataset = make_dataset(12);
  RunConfig config = config_of(dataset);
  config.plan.shard = {1, 2};
  const auto first = make_run(folder / "a", dataset, config);
  config.plan.shard = {2, 2};
  config.seed = 9;
  const auto second = make_run(folder / "b", dataset, config);
  const auto runs = load({first, second}, dataset);
  ASSERT_EQ(runs.size(), 2U);
  EXPECT_EQ(runs[0].name, "script/model (a)");
  EXPECT_EQ(runs[1].name, "script/model (b)");
}

TEST(RunSet, SameModelIsToldApartByItsInput) {
  const TempDir folder;
  const auto dataset = make_dataset(40);
  RunConfig config = config_of(dataset);
  const auto gold = make_run(folder / "a", dataset, config);
  config.input = InputKind::kNone;
  const auto none = make_run(folder / "b", dataset, config);
  const auto runs = load({gold, none}, dataset);
  EXPECT_EQ(runs[0].name, "script/model (oracle-captions)");
  EXPECT_EQ(runs[1].name, "script/model (none)");
}

TEST(RunSet, FilesAndFoldersKeepTheirOrderAndNames) {
  const TempDir folder;
  const auto dataset = make_dataset(6);
  std::filesystem::create_directory(folder / "x");
  for (const char* name : {"theirs.json", "x/theirs.json"}) {
    std::ofstream(folder / name) << R"([{"id": "item_0", "pred_ans": "A"}])";
  }
  const auto runs =
      load({folder / "theirs.json", make_run(folder / "run", dataset, config_of(dataset)),
            folder / "x/theirs.json"},
           dataset);
  ASSERT_EQ(runs.size(), 3U);
  EXPECT_EQ(runs[0].name, "theirs (theirs.json)");
  EXPECT_EQ(runs[1].name, "script/model");
  EXPECT_EQ(runs[2].name, "theirs (theirs.json) #2");
  EXPECT_FALSE(runs[0].config);
  EXPECT_EQ(runs[0].selected.size(), 6U);
}

TEST(RunSet, UnfinishedAndForeignFoldersAreTold) {
  const TempDir folder;
  auto dataset = make_dataset(6);
  const auto path = make_run(folder / "run", dataset, config_of(dataset));
  dataset.sha256 = std::string(64, 'f');
  const auto runs = load({path}, dataset);
  ASSERT_EQ(runs[0].warnings.size(), 1U);
  EXPECT_THAT(runs[0].warnings[0], HasSubstr("made on another file"));
  EXPECT_FALSE(runs[0].summary) << "its journal speaks of another set";
  std::filesystem::remove(path / "predictions.json");
  EXPECT_THAT(error_of([&] { load({path}, dataset); }).message, HasSubstr("not finished"));
  EXPECT_EQ(error_of([&] { load({folder.path()}, dataset); }).code, ErrorCode::kNotFound);
  EXPECT_EQ(error_of([&] { load({folder / "absent"}, dataset); }).code, ErrorCode::kNotFound);
}

}  // namespace
}  // namespace contra4::eval
