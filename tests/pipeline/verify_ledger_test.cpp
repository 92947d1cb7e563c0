#include "contra4/pipeline/verify_ledger.h"

#include <gtest/gtest.h>

#include "tests/pipeline/verify_fixtures.h"
#include "tests/support/test_env.h"

namespace contra4::pipeline {
namespace {

// Items of 2, 3 and 4 scenes whose answers are A, B and C.
class Ledger : public ::testing::Test {
 protected:
  Ledger() {
    testing::write_questions(folder_ / "q.jsonl", testing::make_items(3));
    items_.emplace(AskedItems::load(folder_ / "q.jsonl", {}));
  }
  VerifyLedger make(std::size_t num_models, AskUntil until) const {
    return VerifyLedger(*items_, num_models, until);
  }
  contra4::testing::TempDir folder_;
  std::optional<AskedItems> items_;
};

TEST_F(Ledger, CountsTheOrdersOfEveryItem) {
  const VerifyLedger ledger = make(1, AskUntil::kUnanimous);
  EXPECT_EQ(ledger.num_requests(), 2U + 6U + 24U);
  EXPECT_EQ(ledger.max_orders(), 24U);
  EXPECT_EQ(ledger.request(1, 3), 5U);
  EXPECT_EQ(scoring::order_name(ledger.orders(1)[3]), "BCA");
}

TEST_F(Ledger, ARightReplyFollowsTheOrder) {
  VerifyLedger ledger = make(1, AskUntil::kUnanimous);
  EXPECT_EQ(ledger.take(0, 0, 0, 0), 0U);  // AB: A
  EXPECT_EQ(ledger.take(0, 0, 1, 1), 0U);  // BA: shown as B
  EXPECT_TRUE(ledger.agrees(0, 0));
  EXPECT_FALSE(ledger.agrees(0, 1)) << "not asked";
}

TEST_F(Ledger, OneDisagreementEndsAnItemForAll) {
  VerifyLedger ledger = make(3, AskUntil::kUnanimous);
  EXPECT_EQ(ledger.take(0, 1, 0, 1), 0U);
  EXPECT_EQ(ledger.take(1, 1, 0, 0), 5U + 5U + 6U) << "what is saved";
  for (std::size_t model = 0; model < 3; ++model) EXPECT_FALSE(ledger.wants(model, 1, 1));
  EXPECT_TRUE(ledger.wants(0, 2, 0)) << "another item goes on";
}

TEST_F(Ledger, AMajorityOutlivesOneModel) {
  VerifyLedger ledger = make(3, AskUntil::kMajority);
  EXPECT_EQ(ledger.take(0, 0, 0, kNamesNone), 1U) << "its own rest";
  EXPECT_FALSE(ledger.wants(0, 0, 1));
  EXPECT_TRUE(ledger.wants(1, 0, 0));
  EXPECT_EQ(ledger.take(1, 0, 0, kRefused), 1U + 2U);
  EXPECT_FALSE(ledger.wants(2, 0, 0));
}

TEST_F(Ledger, TwoModelsHaveNoMajorityWithoutEachOther) {
  VerifyLedger ledger = make(2, AskUntil::kMajority);
  ledger.take(0, 0, 0, 1);
  EXPECT_FALSE(ledger.wants(1, 0, 0));
}

TEST_F(Ledger, AllOrdersGoOnWhateverIsSaid) {
  VerifyLedger ledger = make(1, AskUntil::kAllOrders);
  EXPECT_EQ(ledger.take(0, 0, 0, 3), 0U);
  EXPECT_TRUE(ledger.wants(0, 0, 1));
  ledger.set_aside(0, 0);
  EXPECT_TRUE(ledger.wants(0, 0, 1));
  ledger.take(0, 0, 1, 1);
  EXPECT_FALSE(ledger.agrees(0, 0));
}

TEST_F(Ledger, WhatIsSetAsideWaits) {
  VerifyLedger ledger = make(2, AskUntil::kUnanimous);
  ledger.set_aside(1, 0);
  EXPECT_FALSE(ledger.wants(0, 0, 0));
  EXPECT_TRUE(ledger.wants(0, 1, 0));
}

TEST_F(Ledger, KnowsBeforeItTakes) {
  VerifyLedger ledger = make(1, AskUntil::kUnanimous);
  ledger.know(0, 4, kRefused);
  EXPECT_EQ(ledger.known(0, 4), kRefused);
  EXPECT_EQ(ledger.taken(0, 4), std::nullopt);
  EXPECT_EQ(ledger.known(0, 5), std::nullopt);
  ledger.take(0, 1, 2, kNamesNone);
  EXPECT_EQ(ledger.taken(0, 4), kNamesNone);
}

TEST_F(Ledger, FatesHaveNames) {
  for (const AskUntil until : {AskUntil::kUnanimous, AskUntil::kMajority, AskUntil::kAllOrders}) {
    EXPECT_EQ(parse_ask_until(to_string(until)), until);
  }
  EXPECT_EQ(parse_ask_until("some"), std::nullopt);
}

}  // namespace
}  // namespace contra4::pipeline
