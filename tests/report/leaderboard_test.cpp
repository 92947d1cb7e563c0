#include "contra4/report/leaderboard.h"

#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "contra4/io/json.h"
#include "tests/eval/eval_fixtures.h"
#include "tests/support/test_env.h"

namespace contra4::report {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

// Right on the first `right` of the first `asked` items.
eval::Results make_results(const eval::ScoringContext& context, std::string name, std::size_t right,
                           std::size_t asked) {
  eval::Run run;
  run.name = std::move(name);
  for (std::size_t item = 0; item < context.items().size(); ++item) {
    run.selected.push_back(item);
    if (item >= asked) continue;
    const int n = context.items()[item].num_scenes();
    const int gold = *context.items()[item].answer;
    eval::Prediction prediction;
    prediction.item = item;
    prediction.order = eval::file_order(n);
    prediction.choice = item < right ? gold : (gold + 1) % n;
    run.predictions.rows.push_back(std::move(prediction));
  }
  return eval::compute_results(context, run);
}

TEST(Leaderboard, BestFirstWithBlindRulesAmongThem) {
  const auto dataset = eval::testing::make_dataset(60);
  const eval::ScoringContext context(dataset);
  const std::vector<eval::Results> results = {make_results(context, "weak", 1, 60),
                                              make_results(context, "strong", 50, 60)};
  const Leaderboard board = make_leaderboard(results);
  EXPECT_EQ(board.entries.front().name, "strong");
  EXPECT_EQ(board.entries.back().name, "weak");
  bool has_chance = false;
  for (const LeaderboardEntry& entry : board.entries) {
    EXPECT_NE(entry.kind, EntryKind::kPublished) << "of another set";
    has_chance |= entry.kind == EntryKind::kBlind && entry.name == "chance";
    EXPECT_EQ(entry.gain.has_value(), entry.kind == EntryKind::kModel);
  }
  EXPECT_TRUE(has_chance);
  ASSERT_EQ(board.notes.size(), 1U);
  EXPECT_THAT(board.notes[0], HasSubstr("blind/modality-prior (not fitted"));
}

TEST(Leaderboard, PartialRunIsMarked) {
  const auto dataset = eval::testing::make_dataset(30);
  const eval::ScoringContext context(dataset);
  const std::vector<eval::Results> results = {make_results(context, "half", 10, 15)};
  const std::string text = to_terminal(leaderboard_table(make_leaderboard(results)));
  EXPECT_THAT(text, HasSubstr("* half: only 15 of 30 items are scored; 15 have no prediction"));
  EXPECT_THAT(text, HasSubstr("\nhalf *"));
}

TEST(Leaderboard, BlindRuleRunAsAModelStandsOnce) {
  const auto dataset = eval::testing::make_dataset(30);
  const eval::ScoringContext context(dataset);
  eval::Results run = make_results(context, "blind/always-A", 10, 30);
  run.model = "blind/always-A";
  const std::vector<eval::Results> results = {run};
  int rows = 0;
  for (const LeaderboardEntry& entry : make_leaderboard(results).entries) {
    rows += entry.name == "always-A" || entry.name == "blind/always-A" ? 1 : 0;
  }
  EXPECT_EQ(rows, 1);
}

TEST(Leaderboard, TellsWhatEachWasShown) {
  const auto dataset = eval::testing::make_dataset(30);
  const eval::ScoringContext context(dataset);
  eval::Results reader = make_results(context, "reader", 20, 30);
  reader.model = "embed/minilm";
  reader.input = "oracle-captions";
  eval::Results replay = make_results(context, "replay", 10, 30);
  replay.model = "replay/file.json";
  replay.input = "none";
  const std::vector<eval::Results> results = {reader, replay,
                                              make_results(context, "file.json", 5, 30)};
  const Leaderboard board = make_leaderboard(results);
  for (const LeaderboardEntry& entry : board.entries) {
    EXPECT_EQ(entry.input, entry.name == "reader" ? "oracle-captions" : "") << entry.name;
  }
  EXPECT_THAT(to_terminal(leaderboard_table(board)), HasSubstr("not the media"));
}

TEST(Leaderboard, SameNumbersInEveryForm) {
  const auto dataset = eval::testing::make_dataset(60);
  const eval::ScoringContext context(dataset);
  eval::Results run = make_results(context, "m_1", 45, 60);
  run.input = "oracle-captions";
  const std::vector<eval::Results> results = {run};
  const Leaderboard board = make_leaderboard(results);
  EXPECT_THAT(to_markdown(leaderboard_table(board)),
              HasSubstr("| m\\_1 | oracle-captions | 75.0 |"));
  EXPECT_THAT(to_latex(leaderboard_table(board)), HasSubstr("m\\_1 & oracle-captions & 75.0 &"));
  EXPECT_THAT(to_csv(leaderboard_data(board)),
              HasSubstr("m_1,model,oracle-captions,all,45,60,0.75,"));
  const auto json = io::parse_json(leaderboard_json(board), "leaderboard").value();
  EXPECT_EQ(*json.find_path("entries", 0, "input")->find_string(), "oracle-captions");
  EXPECT_EQ(json.find_path("entries", 0, "accuracy", "all", "accuracy")->find_number(), .75);
}

TEST(Leaderboard, OfNothingIsEmpty) {
  EXPECT_TRUE(make_leaderboard({}).entries.empty());
}

TEST(Leaderboard, UnlabelledRunStandsLastWithoutFigures) {
  auto dataset = eval::testing::make_dataset(6);
  for (Item& item : dataset.items) item.answer.reset();
  const eval::ScoringContext context(dataset);
  eval::Run run;
  run.name = "m";
  const std::vector<eval::Results> results = {eval::compute_results(context, run)};
  const Leaderboard board = make_leaderboard(results);
  for (const LeaderboardEntry& entry : board.entries) EXPECT_FALSE(entry.cells[0]) << entry.name;
  EXPECT_THAT(board.notes.front(), HasSubstr("no gold answers"));
  EXPECT_THAT(to_terminal(leaderboard_table(board)), Not(HasSubstr("nan")));
}

TEST(LeaderboardGolden, PublishedRowsStandBesideTheReleasedTestSet) {
  CONTRA4_REQUIRE_SHARED();
  const auto dataset =
      data::load_dataset(contra4::testing::shared_dir() / "contra4/release/test.json");
  const eval::ScoringContext context(dataset);
  const std::vector<eval::Results> results = {make_results(context, "model", 1566, 2335)};
  const Leaderboard board = make_leaderboard(results);
  const std::string text = to_terminal(leaderboard_table(board));
  EXPECT_EQ(board.entries[0].name, "model");
  EXPECT_THAT(text, HasSubstr("(published"));
  EXPECT_THAT(text, HasSubstr("CREMA"));
  EXPECT_THAT(text, HasSubstr("predicted-captions"));
  EXPECT_THAT(text, HasSubstr("Gemini-2.0-flash-exp"));
  const std::vector<eval::Results> part = {make_results(context, "model", 100, 156)};
  const std::string part_text = to_terminal(leaderboard_table(make_leaderboard(part)));
  EXPECT_THAT(part_text, Not(HasSubstr("CREMA")));
  EXPECT_THAT(part_text, HasSubstr("(156 of 2,335 questions)"));
}

}  // namespace
}  // namespace contra4::report
