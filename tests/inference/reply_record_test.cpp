#include "contra4/inference/reply_record.h"

#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace contra4 {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

ReplyRecord full_record() {
  ReplyRecord entry;
  entry.item_id = "item_1";
  entry.part = "BCA";
  entry.state = RequestState::kAnswered;
  entry.text = "Scene \"B\"\nbecause \xF0\x9F\x90\x95";
  entry.choice = 1;
  entry.scores = {0.25, -1e-7, 3};
  entry.usage = {812, 5};
  entry.latency_s = 0.125;
  entry.tries = 3;
  entry.endpoint = "http://host:8000/v1";
  entry.raw_reply = R"({"choices": [{"message": {"content": "B"}}]})";
  return entry;
}

TEST(ReplyRecord, EntryIsReadBackAsWritten) {
  const ReplyRecord entry = full_record();
  const std::string line = to_json_line(entry);
  EXPECT_THAT(line, Not(HasSubstr("\n")));
  const ReplyRecord read = parse_reply_record(line).value();
  EXPECT_EQ(read.item_id, entry.item_id);
  EXPECT_EQ(read.part, entry.part);
  EXPECT_EQ(read.state, entry.state);
  EXPECT_EQ(read.text, entry.text);
  EXPECT_EQ(read.choice, entry.choice);
  EXPECT_EQ(read.scores, entry.scores);
  EXPECT_EQ(read.usage.prompt_tokens, 812);
  EXPECT_EQ(read.usage.completion_tokens, 5);
  EXPECT_EQ(read.latency_s, 0.125);
  EXPECT_EQ(read.tries, 3);
  EXPECT_EQ(read.endpoint, entry.endpoint);
  EXPECT_EQ(read.raw_reply, entry.raw_reply);
}

TEST(ReplyRecord, ErrorKeepsCodeAndMessage) {
  ReplyRecord entry = full_record();
  entry.state = RequestState::kFailed;
  entry.error = {ErrorCode::kResourceExhausted, "429 after 5 tries"};
  const ReplyRecord read = parse_reply_record(to_json_line(entry)).value();
  EXPECT_EQ(read.error.code, ErrorCode::kResourceExhausted);
  EXPECT_EQ(read.error.message, "429 after 5 tries");
}

TEST(ReplyRecord, BytesThatAreNoTextDoNotBreakALine) {
  ReplyRecord entry = full_record();
  entry.text = std::string("\xFF\x00\r\n", 4);
  entry.raw_reply = std::string(2, '\xC3');
  const std::string line = to_json_line(entry);
  EXPECT_THAT(line, Not(HasSubstr("\n")));
  EXPECT_EQ(parse_reply_record(line).value().text, std::string("\xEF\xBF\xBD\x00\r\n", 6));
}

TEST(ReplyRecord, RejectsLinesThatAreNoEntry) {
  for (const char* line : {
           "",
           "{",
           "[]",
           "null",
           "7",
           R"({"id": "a"})",
           R"({"id": "a", "part": "AB", "status": "answered"})",
           R"({"id": "a", "part": "AB", "status": "answered", "text": 7})",
           R"({"id": "", "part": "AB", "status": "answered", "text": "x"})",
           R"({"id": "a", "part": "AB", "status": "open", "text": "x"})",
           R"({"id": "a", "part": "AB", "status": "done", "text": "x"})",
           R"({"id": 5, "part": "AB", "status": "answered", "text": "x"})",
       }) {
    const auto entry = parse_reply_record(line);
    ASSERT_FALSE(entry) << line;
    EXPECT_EQ(entry.error().code, ErrorCode::kDataLoss) << line;
  }
}

TEST(ReplyRecord, MembersOfTheWrongTypeAreDoneWithout) {
  const auto entry = parse_reply_record(
      R"({"id": "a", "part": "AB", "status": "answered", "text": "x", "choice": "AB",)"
      R"( "scores": "none", "usage": [], "latency_s": "fast", "tries": null, "error": 3})");
  ASSERT_TRUE(entry);
  EXPECT_FALSE(entry->choice);
  EXPECT_TRUE(entry->scores.empty());
}

TEST(ReplyRecord, HoldsWhatAnAnswerHeld) {
  Answer answer;
  answer.status = OutcomeStatus::kUnsupported;
  answer.text = "t";
  answer.choice = 1;
  answer.scores = {0.5, 2};
  answer.usage = {3, 4};
  answer.latency_s = 0.5;
  answer.tries = 2;
  answer.endpoint = "e";
  answer.raw_reply = "{}";
  answer.error = {ErrorCode::kUnavailable, "m"};
  const ReplyRecord record = record_of("id", "BA", answer);
  EXPECT_EQ(record.item_id, "id");
  EXPECT_EQ(record.part, "BA");
  EXPECT_EQ(record.state, RequestState::kUnsupported);
  EXPECT_EQ(record.text, "t");
  EXPECT_EQ(record.choice, 1);
  EXPECT_EQ(record.scores, answer.scores);
  EXPECT_EQ(record.usage.completion_tokens, 4);
  EXPECT_EQ(record.latency_s, 0.5);
  EXPECT_EQ(record.tries, 2);
  EXPECT_EQ(record.endpoint, "e");
  EXPECT_EQ(record.raw_reply, "{}");
  EXPECT_EQ(record.error.message, "m");
}

TEST(ReplyRecord, AChoiceOfNoSceneIsAFailure) {
  for (const int choice : {-1, 3}) {
    Answer answer;
    answer.status = OutcomeStatus::kAnswered;
    answer.choice = choice;
    check_choice(answer, 3);
    EXPECT_EQ(answer.status, OutcomeStatus::kFailed);
    EXPECT_FALSE(answer.choice);
  }
  Answer right;
  right.status = OutcomeStatus::kAnswered;
  right.choice = 2;
  check_choice(right, 3);
  EXPECT_EQ(right.choice, 2);
}

}  // namespace
}  // namespace contra4
