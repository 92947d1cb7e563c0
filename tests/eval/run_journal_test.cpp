#include "contra4/eval/run_journal.h"

#include <fstream>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "contra4/io/file.h"
#include "tests/eval/eval_fixtures.h"
#include "tests/support/test_env.h"

namespace contra4::eval {
namespace {

using contra4::testing::TempDir;
using ::testing::HasSubstr;
using ::testing::Not;

JournalEntry full_entry() {
  JournalEntry entry;
  entry.item_id = "item_1";
  entry.order = "BCA";
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

TEST(RunJournal, EntryIsReadBackAsWritten) {
  const JournalEntry entry = full_entry();
  const std::string line = to_json_line(entry);
  EXPECT_THAT(line, Not(HasSubstr("\n")));
  const JournalEntry read = parse_journal_line(line).value();
  EXPECT_EQ(read.item_id, entry.item_id);
  EXPECT_EQ(read.order, entry.order);
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

TEST(RunJournal, ErrorKeepsCodeAndMessage) {
  JournalEntry entry = full_entry();
  entry.state = RequestState::kFailed;
  entry.error = {ErrorCode::kResourceExhausted, "429 after 5 tries"};
  const JournalEntry read = parse_journal_line(to_json_line(entry)).value();
  EXPECT_EQ(read.error.code, ErrorCode::kResourceExhausted);
  EXPECT_EQ(read.error.message, "429 after 5 tries");
}

TEST(RunJournal, BytesThatAreNoTextDoNotBreakALine) {
  JournalEntry entry = full_entry();
  entry.text = std::string("\xFF\x00\r\n", 4);
  entry.raw_reply = std::string(2, '\xC3');
  const std::string line = to_json_line(entry);
  EXPECT_THAT(line, Not(HasSubstr("\n")));
  EXPECT_EQ(parse_journal_line(line).value().text, std::string("\xEF\xBF\xBD\x00\r\n", 6));
}

TEST(RunJournal, RejectsLinesThatAreNoEntry) {
  for (const char* line : {
           "",
           "{",
           "[]",
           "null",
           "7",
           R"({"id": "a"})",
           R"({"id": "a", "permutation": "AB", "status": "answered"})",
           R"({"id": "a", "permutation": "AB", "status": "answered", "text": 7})",
           R"({"id": "", "permutation": "AB", "status": "answered", "text": "x"})",
           R"({"id": "a", "permutation": "AB", "status": "open", "text": "x"})",
           R"({"id": "a", "permutation": "AB", "status": "done", "text": "x"})",
           R"({"id": 5, "permutation": "AB", "status": "answered", "text": "x"})",
       }) {
    const auto entry = parse_journal_line(line);
    ASSERT_FALSE(entry) << line;
    EXPECT_EQ(entry.error().code, ErrorCode::kDataLoss) << line;
  }
}

TEST(RunJournal, MembersOfTheWrongTypeAreDoneWithout) {
  const auto entry = parse_journal_line(
      R"({"id": "a", "permutation": "AB", "status": "answered", "text": "x", "choice": "AB",)"
      R"( "scores": "none", "usage": [], "latency_s": "fast", "tries": null, "error": 3})");
  ASSERT_TRUE(entry);
  EXPECT_FALSE(entry->choice);
  EXPECT_TRUE(entry->scores.empty());
}

TEST(JournalIndex, LastStateUnlessFinal) {
  const TempDir folder;
  const auto dataset = testing::make_dataset(2);
  const RequestPlan plan(dataset.items, {});
  const auto line = [](const char* id, const char* order, const char* status) {
    return fmt::format(
        R"({{"id": "{}", "permutation": "{}", "status": "{}", "text": "t", "error": {{"code": "unavailable", "message": "m"}}}})"
        "\n",
        id, order, status);
  };
  std::ofstream(folder / "j") << line("item_0", "AB", "unsupported")
                              << line("item_0", "AB", "failed") << "garbage\n"
                              << line("stranger", "AB", "answered")
                              << line("item_0", "BA", "answered")
                              << line("item_1", "ABC", "blocked") << line("item_1", "ABC", "failed")
                              << "{\"id\": \"it";
  JournalIndex index(plan);
  index.read(folder / "j");
  EXPECT_EQ(index.state(0), RequestState::kFailed);
  EXPECT_EQ(index.state(1), RequestState::kBlocked);
  EXPECT_EQ(index.damaged_lines(), 1U);
  EXPECT_THAT(index.first_damage(), HasSubstr("line 3"));
  EXPECT_EQ(index.foreign_lines(), 2U) << "an item and an order outside the plan";
  EXPECT_EQ(index.torn_bytes(), 10U);
  const JournalLines lines(folder / "j");
  EXPECT_EQ(lines.at(index.offset(0)).state, RequestState::kFailed);
  EXPECT_EQ(lines.at(index.offset(1)).state, RequestState::kBlocked);
}

TEST(JournalIndex, MissingFileLeavesAllOpen) {
  const auto dataset = testing::make_dataset(1);
  const RequestPlan plan(dataset.items, {});
  JournalIndex index(plan);
  index.read("/nowhere/journal.jsonl");
  EXPECT_EQ(index.state(0), RequestState::kOpen);
}

}  // namespace
}  // namespace contra4::eval
