#include "contra4/eval/results.h"

#include <fstream>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "contra4/base/error.h"
#include "contra4/io/json.h"
#include "tests/eval/eval_fixtures.h"
#include "tests/support/test_env.h"

namespace contra4::eval {
namespace {

using contra4::testing::TempDir;
using ::testing::HasSubstr;
using testing::make_dataset;

// A run in memory: what `say` answers for each item in the order of the file.
template <class Say>
Run make_run(const data::Dataset& dataset, Say say, std::string name = "run") {
  Run run;
  run.name = std::move(name);
  for (std::size_t item = 0; item < dataset.items.size(); ++item) {
    run.selected.push_back(item);
    const std::optional<std::string> text = say(item);
    if (!text) continue;
    Prediction prediction;
    prediction.item = item;
    prediction.order = file_order(dataset.items[item].num_scenes());
    prediction.text = *text;
    if (text->starts_with("Scene ")) prediction.choice = text->back() - 'A';
    run.predictions.rows.push_back(std::move(prediction));
  }
  return run;
}

std::string gold_text(const data::Dataset& dataset, std::size_t item) {
  return scene_name(*dataset.items[item].answer);
}

TEST(Results, CountsRightUnansweredBlockedAndMissing) {
  const auto dataset = make_dataset(20);
  const ScoringContext context(dataset);
  auto run = make_run(dataset, [&](std::size_t item) -> std::optional<std::string> {
    if (item >= 16) return std::nullopt;
    if (item == 0) return "who knows";
    return gold_text(dataset, item);
  });
  run.predictions.rows[1].is_blocked = true;
  run.predictions.rows[1].choice.reset();
  const Results results = compute_results(context, run);
  EXPECT_EQ(results.counts.items, 20);
  EXPECT_EQ(results.counts.scored, 16);
  EXPECT_EQ(results.counts.missing, 4);
  EXPECT_EQ(results.counts.unanswered, 1);
  EXPECT_EQ(results.counts.blocked, 1);
  EXPECT_EQ(results.overall().correct, 14);
  EXPECT_EQ(results.overall().total, 16);
  const Results strict = compute_results(
      context, run, {.rule = scoring::ScoringRule::kChoice, .missing_as_wrong = true});
  EXPECT_EQ(strict.overall().correct, 14);
  EXPECT_EQ(strict.overall().total, 20);
  EXPECT_EQ(strict.counts.missing, 4);
}

TEST(Results, BlindRulesAreScoredOnTheSameItems) {
  const auto dataset = make_dataset(30);
  const ScoringContext context(dataset);
  const Results results = compute_results(
      context, make_run(dataset, [&](std::size_t item) -> std::optional<std::string> {
        if (item % 3 == 0) return std::nullopt;
        return gold_text(dataset, item);
      }));
  for (const BlindResult& rule : results.blind) {
    if (!rule.is_available) {
      EXPECT_THAT(rule.name, HasSubstr("prior"));
      EXPECT_THAT(rule.note, HasSubstr("not fitted"));
      continue;
    }
    EXPECT_EQ(rule.cells.front().accuracy.total, 20) << rule.name;
    EXPECT_EQ(rule.gain->num_items, 20);
  }
  ASSERT_TRUE(results.gain);
  EXPECT_GT(results.gain->difference.difference, 0);
  EXPECT_NEAR(results.chance, (10.0 / 3 + 10.0 / 4) / 20, 1e-12);
}

TEST(Results, FitSetIsNeverTheScoredOne) {
  const auto dataset = make_dataset(10);
  auto fit = make_dataset(10);
  EXPECT_THROW(ScoringContext(dataset, &fit), Exception);
  fit.sha256 = std::string(64, 'b');
  fit.name = "val";
  const ScoringContext context(dataset, &fit);
  EXPECT_EQ(context.fit_name(), "val");
  for (const auto& row : context.blind_rows()) EXPECT_TRUE(row.is_available) << row.name;
}

TEST(Results, UnlabelledSetHasCountsAndNoScores) {
  auto dataset = make_dataset(6);
  for (Item& item : dataset.items) item.answer.reset();
  const ScoringContext context(dataset);
  const Results results = compute_results(context, make_run(dataset, [](std::size_t) {
                                            return std::optional<std::string>("Scene A");
                                          }));
  EXPECT_FALSE(results.has_scores());
  EXPECT_FALSE(results.gain);
  EXPECT_EQ(results.counts.predictions, 6);
  EXPECT_EQ(results.counts.labelled, 0);
  EXPECT_EQ(results.counts.missing, 0);
  const auto json = io::parse_json(results_to_json(results), "results").value();
  EXPECT_TRUE(json.find_path("accuracy", "all", "accuracy")->is_null());
}

TEST(Results, OtherOrdersCountForThePermutationScoresAlone) {
  const auto dataset = make_dataset(9);
  const ScoringContext context(dataset);
  auto run = make_run(dataset, [&](std::size_t item) {
    return std::optional<std::string>(gold_text(dataset, item));
  });
  // Turned round by one, each item is answered by the same letter: another scene.
  for (std::size_t item = 0; item < 9; ++item) {
    Prediction turned = run.predictions.rows[item];
    turned.order = scene_orders(dataset.items[item].num_scenes(), Permutations::kCircular)[1];
    run.predictions.rows.push_back(turned);
  }
  const Results results = compute_results(context, run);
  EXPECT_EQ(results.overall().total, 9);
  EXPECT_EQ(results.overall().correct, 9);
  ASSERT_TRUE(results.permutation_scores);
  EXPECT_EQ(results.permutation_scores->plain.total, 18);
  EXPECT_EQ(results.permutation_scores->plain.correct, 9);
  EXPECT_EQ(results.permutation_scores->all_orders.correct, 0);
  EXPECT_EQ(results.permutation_scores->consistency.correct, 0);
}

TEST(Results, MsnrNeedsTheRunsOfTheSameModel) {
  const auto dataset = make_dataset(12);
  const ScoringContext context(dataset);
  const auto make = [&](std::string model, InputKind input, std::size_t right) {
    Results results = compute_results(
        context, make_run(dataset, [&](std::size_t item) {
          return std::optional<std::string>(item < right ? gold_text(dataset, item) : "none");
        }));
    results.model = std::move(model);
    results.input = to_string(input);
    return results;
  };
  std::vector<Results> results = {
      make("m", InputKind::kOracleCaptions, 9), make("m", InputKind::kNone, 4),
      make("m", InputKind::kRandomCaptions, 2), make("other", InputKind::kOracleCaptions, 9)};
  add_msnr(results);
  ASSERT_FALSE(results[0].msnr.empty());
  EXPECT_DOUBLE_EQ(*results[0].msnr.front().msnr, (9.0 - 3.0) / 3.0);
  EXPECT_TRUE(results[1].msnr.empty());
  EXPECT_TRUE(results[3].msnr.empty());
}

TEST(Results, JsonHoldsTheContract) {
  const auto dataset = make_dataset(24);
  const ScoringContext context(dataset);
  auto run = make_run(dataset, [&](std::size_t item) {
    return std::optional<std::string>(item % 3 == 0 ? "?" : gold_text(dataset, item));
  });
  run.warnings = {"a \"warning\""};
  const Results results = compute_results(context, run);
  const std::string text = results_to_json(results);
  EXPECT_EQ(text, results_to_json(compute_results(context, run)));
  const auto json = io::parse_json(text, "results").value();
  const auto* accuracy = json.find("accuracy");
  ASSERT_NE(accuracy, nullptr);
  std::vector<std::string> cells;
  for (const auto& [name, cell] : *accuracy->find_object()) {
    cells.push_back(name);
    for (const char* member :
         {"correct", "total", "accuracy", "stderr", "stderr_shared_media", "ci95"}) {
      EXPECT_NE(cell.find(member), nullptr) << name << " " << member;
    }
  }
  EXPECT_EQ(cells, std::vector<std::string>(scoring::kCells.begin(), scoring::kCells.end()));
  EXPECT_EQ(json.find_path("accuracy", "all", "correct")->find_integer(), 16);
  EXPECT_EQ(json.find_path("accuracy", "all", "ci95")->find_array()->size(), 2U);
  EXPECT_EQ(json.find("unanswered")->find_integer(), 8);
  EXPECT_EQ(json.find_path("counts", "missing")->find_integer(), 0);
  EXPECT_EQ(*json.find_path("warnings", 0)->find_string(), "a \"warning\"");
}

TEST(ResultsGolden, PublishedScorerCellForCell) {
  CONTRA4_REQUIRE_SHARED();
  const auto shared = contra4::testing::shared_dir();
  const TempDir folder;
  std::ofstream(folder / "p.json")
      << contra4::testing::read_gz(shared / "goldens/evaluation/contains_rule.predictions.json.gz");
  const auto dataset = data::load_dataset(shared / "contra4/release/test.json");
  const std::vector<std::filesystem::path> paths = {folder / "p.json"};
  const auto runs = load_runs(paths, dataset);
  const ScoringContext context(dataset);
  EXPECT_TRUE(context.is_published_test_set());
  const Results contains =
      compute_results(context, runs[0], {.rule = scoring::ScoringRule::kContains});
  EXPECT_EQ(contains.overall().correct, 988);
  const Results published =
      compute_results(context, runs[0], {.rule = scoring::ScoringRule::kPublished});
  std::ifstream wanted(shared / "goldens/evaluation/contains_rule.published_scores.txt");
  EXPECT_EQ(published.published_text,
            std::string(std::istreambuf_iterator<char>(wanted), std::istreambuf_iterator<char>()));
}

TEST(ResultsGolden, BlindRowsAndMiniLmOnTheReleasedTestSet) {
  CONTRA4_REQUIRE_SHARED();
  const auto shared = contra4::testing::shared_dir();
  const TempDir folder;
  const auto golden =
      io::parse_json(
          contra4::testing::read_gz(shared / "goldens/minilm/question_similarity_test.json.gz"),
          "golden")
          .value();
  std::ofstream out(folder / "minilm.jsonl");
  for (const auto& row : *golden.find_array()) {
    out << fmt::format(R"({{"id": "{}", "pred_ans": "Scene {}"}})", *row.find("id")->find_string(),
                       *row.find("prediction")->find_string())
        << "\n";
  }
  out.close();
  const auto dataset = data::load_dataset(shared / "contra4/release/test.json");
  const auto fit = data::load_dataset(shared / "contra4/release/val.json");
  const ScoringContext context(dataset, &fit);
  const std::vector<std::filesystem::path> paths = {folder / "minilm.jsonl"};
  const Results results = compute_results(context, load_runs(paths, dataset)[0]);
  EXPECT_EQ(results.overall().correct, 1566);
  EXPECT_NEAR(results.overall().stderr_plain, .0097, 5e-5);
  EXPECT_NEAR(results.overall().stderr_shared_media, .0104, 5e-5);
  EXPECT_NEAR(results.chance, .3654, 5e-5);
  std::map<std::string, double> correct;
  for (const BlindResult& rule : results.blind) {
    correct[rule.name] = rule.cells.front().accuracy.correct;
  }
  EXPECT_EQ(correct["modality-prior"], 1299);
  EXPECT_EQ(correct["longest-caption"], 1181);
  EXPECT_EQ(correct["always-A"], 880);
  EXPECT_EQ(correct["always-D"], 184);
  ASSERT_TRUE(results.gain);
  EXPECT_EQ(results.gain->over, "modality-prior");
  EXPECT_NEAR(results.gain->difference.difference, (1566.0 - 1299.0) / 2335.0, 1e-12);
}

}  // namespace
}  // namespace contra4::eval
