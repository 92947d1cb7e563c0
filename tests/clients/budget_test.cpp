#include "contra4/clients/budget.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "contra4/io/file.h"
#include "tests/support/test_env.h"

namespace contra4::clients {
namespace {

using ::testing::HasSubstr;

void expect_refused(const std::string& text, const std::string& reason) {
  const testing::TempDir dir;
  io::write_file_atomically(dir / "prices.yaml", text);
  try {
    read_price_file(dir / "prices.yaml");
    FAIL() << text;
  } catch (const Exception& exception) {
    EXPECT_EQ(exception.code(), ErrorCode::kInvalidArgument) << exception.what();
    EXPECT_THAT(exception.what(), HasSubstr(reason));
    EXPECT_THAT(exception.what(), HasSubstr("prices.yaml"));
  }
}

TEST(Budget, WithoutCapEverythingIsAllowed) {
  Budget budget({});
  budget.add({.prompt_tokens = 1'000'000'000, .completion_tokens = 1});
  EXPECT_FALSE(budget.has_cap());
  EXPECT_TRUE(budget.allows_one_more(10'000));
  EXPECT_FALSE(budget.is_spent());
  EXPECT_EQ(budget.cost_usd(), 0);
}

TEST(Budget, TheFirstReplyIsAwaitedAlone) {
  const Budget budget({.max_tokens_total = 1'000});
  EXPECT_TRUE(budget.allows_one_more(0));
  EXPECT_FALSE(budget.allows_one_more(1));
}

TEST(Budget, WhatIsInFlightCountsAtTheMeanSoFar) {
  Budget budget({.max_tokens_total = 1'000});
  budget.add({.prompt_tokens = 80, .completion_tokens = 20});
  EXPECT_TRUE(budget.allows_one_more(8));
  EXPECT_FALSE(budget.allows_one_more(9));
  for (int i = 0; i < 8; ++i) budget.add({.prompt_tokens = 80, .completion_tokens = 20});
  EXPECT_TRUE(budget.allows_one_more(0));
  EXPECT_FALSE(budget.allows_one_more(1));
  budget.add({.prompt_tokens = 100});
  EXPECT_TRUE(budget.is_spent());
  EXPECT_FALSE(budget.allows_one_more(0));
  EXPECT_EQ(budget.used().prompt_tokens, 9 * 80 + 100);
}

TEST(Budget, MoneyFollowsThePrice) {
  Budget budget({.max_cost_usd = 1, .price = TokenPrice{2.5, 10}});
  budget.add({.prompt_tokens = 100'000, .completion_tokens = 5'000});
  EXPECT_DOUBLE_EQ(budget.cost_usd(), 0.3);
  EXPECT_TRUE(budget.allows_one_more(1));
  EXPECT_FALSE(budget.allows_one_more(2));
  const Error error = budget.error();
  EXPECT_EQ(error.code, ErrorCode::kResourceExhausted);
  EXPECT_THAT(error.message, HasSubstr("0.3000 of 1.0000 USD"));
}

TEST(Budget, FreeRepliesNeverSpendIt) {
  Budget budget({.max_cost_usd = 1, .price = TokenPrice{}});
  for (int i = 0; i < 100; ++i) budget.add({.prompt_tokens = 1'000'000});
  EXPECT_TRUE(budget.allows_one_more(1'000));
}

TEST(Budget, RefusesSenselessCaps) {
  EXPECT_THROW(Budget({.max_tokens_total = -1}), Exception);
  EXPECT_THROW(Budget({.max_cost_usd = -0.5, .price = TokenPrice{}}), Exception);
  EXPECT_THROW(Budget({.max_cost_usd = 1}), Exception);
}

TEST(EstimateTokens, IsRoundedUpOnTheSafeSide) {
  EXPECT_EQ(estimate_tokens(0), 0);
  EXPECT_EQ(estimate_tokens(1), 1);
  EXPECT_EQ(estimate_tokens(3), 1);
  EXPECT_EQ(estimate_tokens(400), 134);
}

TEST(PriceFile, ReadsYamlAndJson) {
  const testing::TempDir dir;
  io::write_file_atomically(dir / "p.yaml",
                            "gpt-4o-mini: {prompt: 0.15, completion: 0.6}\nlocal:\n  prompt: 0\n"
                            "  completion: 0\n");
  const PriceTable table = read_price_file(dir / "p.yaml");
  ASSERT_EQ(table.size(), 2U);
  EXPECT_DOUBLE_EQ(table.at("gpt-4o-mini").prompt_usd_per_million, 0.15);
  EXPECT_DOUBLE_EQ(table.at("gpt-4o-mini").completion_usd_per_million, 0.6);
  io::write_file_atomically(dir / "p.json", R"({"m": {"prompt": 1, "completion": 2}})");
  EXPECT_DOUBLE_EQ(read_price_file(dir / "p.json").at("m").completion_usd_per_million, 2);
}

TEST(PriceFile, MistakesAreNamedWithTheirEntry) {
  expect_refused("- a\n", "wanted model names");
  expect_refused("m: 3\n", "'m'");
  expect_refused("m: {prompt: 1}\n", "'completion'");
  expect_refused("m: {prompt: -1, completion: 1}\n", "'prompt'");
  expect_refused("m: {prompt: cheap, completion: 1}\n", "'prompt'");
  expect_refused("m: {prompt: .inf, completion: 1}\n", "'prompt'");
  expect_refused("m: {prompt: 1, completion: 1, cached: 1}\n", "'cached'");
  expect_refused("m: {prompt: [\n", "");
}

TEST(PriceFile, AMissingFileIsNotFound) {
  const testing::TempDir dir;
  try {
    read_price_file(dir / "none.yaml");
    FAIL();
  } catch (const Exception& exception) {
    EXPECT_EQ(exception.code(), ErrorCode::kNotFound);
  }
}

}  // namespace
}  // namespace contra4::clients
