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

TEST(JournalIndex, LastStateUnlessFinal) {
  const TempDir folder;
  const auto dataset = testing::make_dataset(2);
  const RequestPlan plan(dataset.items, {});
  const auto line = [](const char* id, const char* order, const char* status) {
    return fmt::format(
        R"({{"id": "{}", "part": "{}", "status": "{}", "text": "t", "error": {{"code": "unavailable", "message": "m"}}}})"
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
