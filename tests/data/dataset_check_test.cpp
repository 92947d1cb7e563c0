#include "contra4/data/dataset_check.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/data/data_fixtures.h"
#include "tests/support/test_env.h"

namespace contra4::data {
namespace {

using ::testing::ElementsAre;
using ::testing::EndsWith;
using ::testing::HasSubstr;

struct Outcome {
  CheckSummary summary;
  std::vector<std::string> messages;  // a warning with "warning: " in front
};

Outcome check(std::string text, const ItemRequirements& requirements = {},
              const ReadLimits& limits = {}) {
  const auto items = read_items(io::bytes_in_memory(std::move(text)), RecordFormat::kLines,
                                "x.jsonl", limits, Extras::kDrop);
  Outcome outcome;
  outcome.summary = check_items(*items, "x.jsonl", requirements, [&](const RowProblem& problem) {
    outcome.messages.push_back((problem.is_warning ? "warning: " : "") + problem.message);
  });
  return outcome;
}

TEST(DatasetCheck, AFineSetHasNoProblems) {
  const Outcome outcome = check(row_with_id("1") + "\n" + row_with_id("2") + "\n");
  EXPECT_TRUE(outcome.summary.is_fine());
  EXPECT_EQ(outcome.summary.rows, 2U);
  EXPECT_EQ(outcome.summary.schema_rows[0], 2U);
  EXPECT_THAT(outcome.messages, ElementsAre());
}

TEST(DatasetCheck, ATupleLacksAQuestionUnlessNoneIsNeeded) {
  EXPECT_THAT(check(tuple_row()).messages,
              ElementsAre("x.jsonl: row 1 (id random_0): there is no question"));
  EXPECT_TRUE(check(tuple_row(), {.captions = true, .question = false}).summary.is_fine());
}

TEST(DatasetCheck, FindsEveryProblemOfEveryRow) {
  const std::string one_scene = R"({"id": "s", "q_type": "mc_2", "question": "Q?",)"
                                R"( "modalities": ["pc"], "examples": [{"source": "s", "id": 1}]})";
  const std::string twice =
      row_with("examples", R"([{"source": "s", "id": 1}, {"source": "s", "id": "1"}])");
  const Outcome outcome =
      check(one_scene + "\n" + "{}\n" + row_with("q_type", "\"mc_3\"") + "\n" + twice + "\n");
  EXPECT_THAT(outcome.messages,
              ElementsAre("x.jsonl: row 1 (id s): 1 scene, 2 to 4 are needed",
                          "x.jsonl: row 1 (id s): q_type is 'mc_2', but there are 1 scenes",
                          "x.jsonl: row 2: there is no 'id'",
                          "x.jsonl: row 3 (id r1): q_type is 'mc_3', but there are 2 scenes",
                          "warning: x.jsonl: row 4 (id r1): Scene B is the same medium as Scene A",
                          "x.jsonl: row 4 (id r1): the id occurred before, in row 3"));
  EXPECT_EQ(outcome.summary.rows, 4U);
  EXPECT_EQ(outcome.summary.wrong_rows, 4U);
  EXPECT_EQ(outcome.summary.warnings, 1U);
  EXPECT_FALSE(outcome.summary.is_fine());
  EXPECT_FALSE(outcome.summary.is_damaged);
}

TEST(DatasetCheck, AsksForAnswersAndCaptionsWhenTold) {
  std::string row = row_with("gt_answer", "");
  row.back() = ',';
  const std::string words = row + R"("answers": ["It depends."]})";
  EXPECT_THAT(check(words).messages,
              ElementsAre(EndsWith("the answer names no scene: 'It depends.'")));
  EXPECT_TRUE(check(words).summary.is_fine());
  EXPECT_FALSE(check(words, {.answer = true}).summary.is_fine());
  EXPECT_THAT(check(row_with("gt_answer", ""), {.answer = true}).messages,
              ElementsAre(EndsWith("there is no answer")));
  const std::string blank = row_with(
      "examples", R"([{"source": "s", "id": 1, "caption": " "}, {"source": "s", "id": 2}])");
  EXPECT_TRUE(check(blank).summary.is_fine());
  EXPECT_THAT(check(blank, {.captions = true}).messages,
              ElementsAre(EndsWith("Scene A has no caption"), EndsWith("Scene B has no caption")));
}

TEST(DatasetCheck, DamageIsToldAndNotFine) {
  const std::string text = row_with_id("1") + "\n" + row_with_id("2").substr(0, 50);
  const Outcome outcome = check(text);
  EXPECT_TRUE(outcome.summary.is_damaged);
  EXPECT_THAT(outcome.messages, ElementsAre(HasSubstr("row 2: the file ends in the middle")));
}

TEST(DatasetCheck, ARowAboveTheLimitIsWrongAndTheRestIsRead) {
  const Outcome outcome =
      check(row_with_id("1") + "\n" + row_with("x", '"' + std::string(5000, 'x') + '"') + "\n" +
                row_with_id("3") + "\n",
            {}, {.max_row_bytes = 2000});
  EXPECT_EQ(outcome.summary.rows, 3U);
  EXPECT_THAT(outcome.messages, ElementsAre(HasSubstr("x.jsonl: row 2: the row has 5")));
  EXPECT_FALSE(outcome.summary.is_damaged);
}

TEST(DatasetCheck, NoRowsIsAWarning) {
  EXPECT_THAT(check("").messages, ElementsAre("warning: x.jsonl: no rows"));
  EXPECT_TRUE(check("").summary.is_fine());
}

TEST(DatasetCheck, StopsBetweenRowsWhenAsked) {
  const testing::TempDir folder;
  write_bytes(folder / "x.jsonl", "{}\n{}\n{}\n");
  std::stop_source stop;
  int reports = 0;
  const CheckSummary summary = check_dataset(
      folder / "x.jsonl", {},
      [&](const RowProblem&) {
        if (++reports == 2) stop.request_stop();
      },
      stop.get_token());
  EXPECT_TRUE(summary.was_interrupted);
  EXPECT_EQ(summary.rows, 2U);
  EXPECT_FALSE(summary.is_fine());
}

}  // namespace
}  // namespace contra4::data
