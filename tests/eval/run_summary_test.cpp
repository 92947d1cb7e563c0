#include "contra4/eval/run_summary.h"

#include <fstream>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/eval/eval_fixtures.h"
#include "tests/support/test_env.h"

namespace contra4::eval {
namespace {

using contra4::testing::TempDir;
using ::testing::ElementsAre;
using testing::make_dataset;
using ::testing::Pair;

class Summary : public ::testing::Test {
 protected:
  void note(std::size_t request, RequestState state, const std::string& message = "") const {
    ReplyRecord entry;
    entry.item_id = plan_.items()[plan_.request(request).item].id.text;
    entry.part = order_name(plan_.request(request).order);
    entry.state = state;
    if (!message.empty()) entry.error = {ErrorCode::kUnavailable, message};
    std::ofstream(path(), std::ios::app) << to_json_line(entry) << "\n";
  }
  RunSummary summary() const {
    JournalIndex index(plan_);
    index.read(path());
    return summarize(plan_, index, path());
  }
  std::filesystem::path path() const { return folder_ / "journal.jsonl"; }

  TempDir folder_;
  data::Dataset dataset_ = make_dataset(8);
  RequestPlan plan_{dataset_.items, {}};
};

TEST_F(Summary, OfARunThatNeverBeganEverythingIsOpen) {
  const RunSummary all = summary();
  EXPECT_EQ(all.requests, 8);
  EXPECT_EQ(all.open, 8);
  EXPECT_TRUE(all.missed.empty());
}

TEST_F(Summary, CountsEveryStateAndListsTheMissedInOrderOfThePlan) {
  note(6, RequestState::kFailed, "cut off");
  note(0, RequestState::kAnswered);
  note(1, RequestState::kBlocked, "content");
  note(2, RequestState::kUnsupported, "no video here");
  note(4, RequestState::kNotShown, "no caption");
  std::ofstream(path(), std::ios::app) << "{\"id\": \n";
  const RunSummary all = summary();
  EXPECT_EQ(all.answered, 1);
  EXPECT_EQ(all.blocked, 1);
  EXPECT_EQ(all.unsupported, 1);
  EXPECT_EQ(all.failed, 1);
  EXPECT_EQ(all.not_shown, 1);
  EXPECT_EQ(all.open, 3);
  EXPECT_EQ(all.damaged_lines, 1U);
  ASSERT_EQ(all.missed.size(), 3U);
  EXPECT_EQ(all.missed[0].item_id, "item_2");
  EXPECT_EQ(all.missed[0].state, RequestState::kUnsupported);
  EXPECT_EQ(all.missed[0].error.message, "no video here");
  EXPECT_EQ(all.missed[1].item_id, "item_4");
  EXPECT_EQ(all.missed[2].error.message, "cut off");
  EXPECT_EQ(all.missed[2].error.code, ErrorCode::kUnavailable);
  ASSERT_EQ(all.unsupported_by_modalities.size(), 1U);
  EXPECT_EQ(all.unsupported_by_modalities.begin()->second, 1);
}

TEST_F(Summary, AnAnswerAfterAFailureIsAnAnswer) {
  note(3, RequestState::kFailed, "cut off");
  note(3, RequestState::kAnswered);
  const RunSummary all = summary();
  EXPECT_EQ(all.failed, 0);
  EXPECT_EQ(all.answered, 1);
  EXPECT_TRUE(all.missed.empty());
}

TEST_F(Summary, ListsNoMoreThanPeopleRead) {
  dataset_ = make_dataset(static_cast<int>(kMaxListedMisses) + 5);
  const RequestPlan plan(dataset_.items, {});
  std::ofstream journal(path());
  for (std::size_t i = 0; i < plan.num_requests(); ++i) {
    ReplyRecord entry;
    entry.item_id = plan.items()[plan.request(i).item].id.text;
    entry.part = order_name(plan.request(i).order);
    entry.state = RequestState::kFailed;
    entry.error = {ErrorCode::kUnavailable, "away"};
    journal << to_json_line(entry) << "\n";
  }
  journal.close();
  JournalIndex index(plan);
  index.read(path());
  const RunSummary all = summarize(plan, index, path());
  EXPECT_EQ(all.failed, static_cast<std::int64_t>(kMaxListedMisses) + 5);
  EXPECT_EQ(all.missed.size(), kMaxListedMisses);
}

}  // namespace
}  // namespace contra4::eval
