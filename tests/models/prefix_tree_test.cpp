#include "contra4/models/language/prefix_tree.h"

#include <algorithm>
#include <numeric>

#include <gtest/gtest.h>

#include "contra4/base/error.h"

namespace contra4::models {
namespace {

// The pieces of each prompt, put together again from the levels.
std::vector<PieceNumbers> rebuilt(const std::vector<PieceNumbers>& prompts,
                                  const PrefixLevels& levels) {
  std::vector<PieceNumbers> all(prompts.size());
  for (std::size_t leaf = 0; leaf < levels.back().size(); ++leaf) {
    PieceNumbers pieces;
    std::size_t node = leaf;
    for (std::size_t level = levels.size(); level-- > 0;) {
      const PrefixNode& at = levels[level][node];
      const PieceNumbers& of = prompts[at.prompt];
      const auto first = of.begin() + static_cast<std::ptrdiff_t>(at.first_piece);
      pieces.insert(pieces.begin(), first, first + static_cast<std::ptrdiff_t>(at.num_pieces));
      node = at.parent;
    }
    all[levels.back()[leaf].prompt] = pieces;
  }
  return all;
}

std::size_t num_pieces(const PrefixLevels& levels) {
  std::size_t sum = 0;
  for (const auto& level : levels) {
    for (const PrefixNode& node : level) sum += node.num_pieces;
  }
  return sum;
}

TEST(PrefixTree, PromptsThatShareNothingAreOneLevel) {
  const std::vector<PieceNumbers> prompts = {{1, 2, 9}, {3, 2, 9}, {4}};
  const PrefixLevels levels = plan_prefixes(prompts);
  ASSERT_EQ(levels.size(), 1U);
  EXPECT_EQ(levels[0].size(), 3U);
  EXPECT_EQ(rebuilt(prompts, levels), prompts);
}

TEST(PrefixTree, AllOrdersOfFourScenesShareTheirBeginnings) {
  std::vector<PieceNumbers> prompts;
  std::vector<std::size_t> order = {0, 1, 2, 3};
  do {
    PieceNumbers& pieces = prompts.emplace_back();
    for (std::size_t place = 0; place < 4; ++place) pieces.push_back(10 * place + order[place]);
    pieces.push_back(99);
  } while (std::next_permutation(order.begin(), order.end()));
  const PrefixLevels levels = plan_prefixes(prompts);
  ASSERT_EQ(levels.size(), 3U);
  EXPECT_EQ(levels[0].size(), 4U);
  EXPECT_EQ(levels[1].size(), 12U);
  EXPECT_EQ(levels[2].size(), 24U);
  EXPECT_EQ(num_pieces(levels), 4U + 12U + 24U * 3U);  // of 120
  EXPECT_EQ(rebuilt(prompts, levels), prompts);
}

TEST(PrefixTree, TheLastPieceIsNeverShared) {
  const std::vector<PieceNumbers> same = {{1, 2}, {1, 2}, {1, 2}};
  const PrefixLevels levels = plan_prefixes(same);
  ASSERT_EQ(levels.size(), 2U);
  EXPECT_EQ(levels[0].size(), 1U);
  EXPECT_EQ(levels[1].size(), 3U);
  EXPECT_EQ(rebuilt(same, levels), same);
  const std::vector<PieceNumbers> single = {{7}, {7}};
  EXPECT_EQ(plan_prefixes(single).size(), 1U);
}

TEST(PrefixTree, APromptMayBeTheBeginningOfAnother) {
  const std::vector<PieceNumbers> prompts = {{1, 2}, {1, 2, 3, 4}, {1, 2, 3, 5}, {1, 6}};
  const PrefixLevels levels = plan_prefixes(prompts);
  EXPECT_EQ(rebuilt(prompts, levels), prompts);
  EXPECT_LT(num_pieces(levels), 12U);
}

TEST(PrefixTree, GivesBackAnyPrompts) {
  std::vector<PieceNumbers> prompts;
  std::uint32_t state = 1;
  for (int i = 0; i < 200; ++i) {
    PieceNumbers& pieces = prompts.emplace_back();
    for (int j = 0; j < 1 + i % 6; ++j) {
      state = state * 1664525U + 1013904223U;
      pieces.push_back(state >> 30U);
    }
  }
  const PrefixLevels levels = plan_prefixes(prompts);
  EXPECT_EQ(levels.back().size(), prompts.size());
  EXPECT_EQ(rebuilt(prompts, levels), prompts);
}

TEST(PrefixTree, NoPromptsNoLevels) {
  EXPECT_TRUE(plan_prefixes({}).empty());
  EXPECT_THROW(plan_prefixes(std::vector<PieceNumbers>{{}}), Exception);
}

}  // namespace
}  // namespace contra4::models
