#include "contra4/clients/replay_answerer.h"

#include <gtest/gtest.h>

#include "contra4/base/error.h"
#include "contra4/io/file.h"
#include "contra4/io/json.h"
#include "tests/clients/answerer_support.h"
#include "tests/support/test_env.h"

namespace contra4::clients {
namespace {

class ReplayAnswererTest : public ::testing::Test {
 protected:
  ReplayAnswerer replay(const std::string& text) {
    io::write_file_atomically(folder_ / "predictions.json", text);
    return ReplayAnswerer(folder_ / "predictions.json");
  }
  void expect_refused(const std::string& text, ErrorCode code, const std::string& words) {
    try {
      replay(text);
      FAIL() << text;
    } catch (const Exception& exception) {
      EXPECT_EQ(exception.code(), code) << exception.what();
      EXPECT_NE(std::string(exception.what()).find(words), std::string::npos) << exception.what();
    }
  }
  testing::TempDir folder_;
};

TEST_F(ReplayAnswererTest, ReadsListsAndLinesUnderAllNames) {
  ReplayAnswerer list = replay(R"([{"id": "item0", "pred_ans": "it is B"},
    {"question_id": "item1", "answer": "A"}, {"sample_id": "item2", "choice": "B"}])");
  const Answers answers = run_all(list, count_questions(3));
  EXPECT_EQ(answers.by_ticket.at(0).text, "it is B");
  EXPECT_EQ(answers.by_ticket.at(0).choice, std::nullopt) << "the text decides";
  EXPECT_EQ(answers.by_ticket.at(1).text, "A");
  EXPECT_EQ(answers.by_ticket.at(2).choice, 1);
  EXPECT_EQ(answers.by_ticket.at(2).text, "Scene B");

  ReplayAnswerer lines = replay(
      "{\"id\": \"item0\", \"pred_ans\": \"B\"}\n\n{\"id\": 7, "
      "\"pred_ans\": \"\", \"status\": \"blocked\"}");
  EXPECT_EQ(lines.size(), 2U);
  Question seven = make_question(7);
  seven.item_id = "7";
  const Answers blocked = run_all(lines, questions_from({seven}));
  EXPECT_EQ(blocked.by_ticket.at(7).status, OutcomeStatus::kBlocked);
}

TEST_F(ReplayAnswererTest, FailsItemsThatTheFileLacks) {
  ReplayAnswerer answerer = replay(R"([{"id": "item0", "pred_ans": "B"}])");
  const Answers answers = run_all(answerer, count_questions(2));
  EXPECT_EQ(answers.by_ticket.at(1).status, OutcomeStatus::kFailed);
  EXPECT_EQ(answers.by_ticket.at(1).error.code, ErrorCode::kNotFound);
  EXPECT_NE(answers.by_ticket.at(1).error.message.find("item1"), std::string::npos);
}

TEST_F(ReplayAnswererTest, MatchesTheOrderThatIsAsked) {
  ReplayAnswerer answerer = replay(R"([{"id": "item0", "pred_ans": "first", "permutation": "AB"},
                 {"id": "item0", "pred_ans": "second", "permutation": "BA"}])");
  Question as_filed = make_question(0);
  Question named = make_question(1);
  named.item_id = "item0";
  named.order = "AB";
  Question swapped = named;
  swapped.ticket = 2;
  swapped.order = "BA";
  const Answers answers = run_all(answerer, questions_from({as_filed, named, swapped}));
  EXPECT_EQ(answers.by_ticket.at(0).text, "first");
  EXPECT_EQ(answers.by_ticket.at(1).text, "first");
  EXPECT_EQ(answers.by_ticket.at(2).text, "second");
}

TEST_F(ReplayAnswererTest, LeavesAChoiceBeyondTheScenesToTheText) {
  ReplayAnswerer answerer = replay(R"([{"id": "item0", "pred_ans": "?", "choice": "D"}])");
  const Answers answers = run_all(answerer, count_questions(1));
  EXPECT_EQ(answers.by_ticket.at(0).choice, std::nullopt);
  EXPECT_EQ(answers.by_ticket.at(0).text, "?");
}

TEST_F(ReplayAnswererTest, RefusesWhatIsNoListOfPredictions) {
  expect_refused("[{\"id\": \"a\", \"pred_ans\": \"B\"", ErrorCode::kDataLoss, "not valid JSON");
  expect_refused("{\"id\": \"a\", \"pred_ans\": \"B\"}\n{", ErrorCode::kDataLoss, "line 2");
  expect_refused("[3]", ErrorCode::kInvalidArgument, "row 1: not an object");
  expect_refused(R"([{"pred_ans": "B"}])", ErrorCode::kInvalidArgument, "no 'id'");
  expect_refused(R"([{"id": ["x"], "pred_ans": "B"}])", ErrorCode::kInvalidArgument, "'id'");
  expect_refused(R"([{"id": "x"}])", ErrorCode::kInvalidArgument, "(id 'x'): no 'pred_ans'");
  expect_refused(R"([{"id": "x", "pred_ans": 3}])", ErrorCode::kInvalidArgument, "not a text");
  expect_refused(R"([{"id": "x", "choice": "Z"}])", ErrorCode::kInvalidArgument, "names no scene");
  expect_refused(R"([{"id": "x", "pred_ans": "A"}, {"id": "x", "pred_ans": "B"}])",
                 ErrorCode::kInvalidArgument, "row 2 (id 'x'): a second row");
  EXPECT_THROW(ReplayAnswerer(folder_ / "missing.json"), Exception);
}

TEST_F(ReplayAnswererTest, DescribesItsFileByContent) {
  const auto description = io::parse_json(replay("[]").description_json(), "description").value();
  EXPECT_EQ(*description.find("file")->find_string(), "predictions.json");
  EXPECT_EQ(description.find("sha256")->find_string()->size(), 64U);
}

}  // namespace
}  // namespace contra4::clients
