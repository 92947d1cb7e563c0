#include "contra4/report/report.h"

#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/eval/eval_fixtures.h"

namespace contra4::report {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

class ReportTest : public ::testing::Test {
 protected:
  // Right on two items of three; every order when asked.
  eval::Results make_results(eval::Permutations permutations = eval::Permutations::kNone,
                             std::size_t from = 0) const {
    eval::Run run;
    run.name = "a|model";
    const eval::RequestPlan plan(dataset_.items, {.permutations = permutations});
    for (std::size_t i = 0; i < plan.num_items(); ++i) run.selected.push_back(i);
    for (std::size_t i = 0; i < plan.num_requests(); ++i) {
      const eval::PlannedRequest request = plan.request(i);
      if (request.item < from) continue;
      const Item& item = dataset_.items[request.item];
      const int gold = scoring::shown_place(request.order, *item.answer);
      eval::Prediction prediction;
      prediction.item = request.item;
      prediction.order = request.order;
      prediction.choice = i % 3 == 0 ? (gold + 1) % item.num_scenes() : gold;
      run.predictions.rows.push_back(std::move(prediction));
    }
    return eval::compute_results(context_, run);
  }

  data::Dataset dataset_ = eval::testing::make_dataset(48);
  eval::ScoringContext context_{dataset_};
};

TEST_F(ReportTest, HoldsEverySectionOfAPlainRun) {
  const std::string report = report_markdown(make_results(), {});
  for (const char* title :
       {"# a|model on made-up", "## Leaderboard", "## Cells", "## Rules that see nothing",
        "## By correct modality", "## By modalities", "## By category", "## By correct position",
        "## Which modality is taken for which", "## Which place is chosen", "## Settings"}) {
    EXPECT_THAT(report, HasSubstr(title));
  }
  EXPECT_THAT(report, AllOf(Not(HasSubstr("## Orders")), Not(HasSubstr("## Questions without")),
                            Not(HasSubstr("nan")), Not(HasSubstr("## To repeat"))));
  EXPECT_EQ(report, report_markdown(make_results(), {}));
}

TEST_F(ReportTest, OrdersHaveTheirSection) {
  const std::string report = report_markdown(make_results(eval::Permutations::kCircular), {});
  EXPECT_THAT(report,
              AllOf(HasSubstr("## Orders of the scenes"),
                    HasSubstr("right in all orders of the item"), HasSubstr("Position bias ")));
}

TEST_F(ReportTest, WhatWentWrongIsSaidAtTheTop) {
  eval::Results results = make_results(eval::Permutations::kNone, 8);
  results.counts.failed = 2;
  results.counts.unsupported = 1;
  results.unsupported_by_modalities = {{"audio+video", 1}};
  results.warnings = {"p.json: 3 rows of items that the set does not have"};
  results.missed = {
      {"item_1", "ABC", RequestState::kFailed, {ErrorCode::kUnavailable, "503 | <b>bad</b>"}}};
  const std::string report = report_markdown(results, {});
  EXPECT_THAT(report, AllOf(HasSubstr("**Only 40 of 48 items are scored; 8 have no prediction"),
                            HasSubstr("- 2 requests failed; the same command asks again."),
                            HasSubstr("no such modality: audio+video (1)"),
                            HasSubstr("- p.json: 3 rows of items"),
                            HasSubstr("| item\\_1 | ABC | failed | 503 \\| &lt;b>bad&lt;/b> |")));
  EXPECT_LT(report.find("**Only 40"), report.find("## Leaderboard"));
}

TEST_F(ReportTest, UnlabelledSetHasNoTables) {
  for (Item& item : dataset_.items) item.answer.reset();
  const eval::ScoringContext context(dataset_);
  eval::Run run;
  run.name = "m";
  const std::string report = report_markdown(eval::compute_results(context, run), {});
  EXPECT_THAT(report, AllOf(HasSubstr("nothing to score"), HasSubstr("no gold answers"),
                            Not(HasSubstr("## Cells"))));
}

TEST_F(ReportTest, ConfigurationCannotLeaveItsBlock) {
  const std::string report =
      report_markdown(make_results(), {"{\"prompt\": \"```\\n# gone\"}\n", "contra4 evaluate x"});
  EXPECT_THAT(report, AllOf(HasSubstr("````json\n{\"prompt\""), HasSubstr("}\n````\n"),
                            HasSubstr("```sh\ncontra4 evaluate x\n```")));
}

TEST_F(ReportTest, ComparisonSaysWhatItMeans) {
  std::vector<eval::Results> results = {make_results(), make_results(), make_results()};
  results[1].name = "b";
  results[2].name = "c";
  for (auto& observation : results[2].observations) observation.hit = 0;
  const auto comparison = eval::compare_runs(context_, results);
  const std::string text = to_terminal(comparison_table(comparison));
  EXPECT_THAT(text, AllOf(HasSubstr("no difference shown"), HasSubstr("a is better")));
  EXPECT_THAT(comparison_markdown(comparison), HasSubstr("# Comparison on made-up"));
  EXPECT_THAT(to_csv(comparison_data(comparison)),
              StartsWith("run_a,run_b,items,accuracy_a,accuracy_b,difference,"));
}

}  // namespace
}  // namespace contra4::report
