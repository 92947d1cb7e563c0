#include "contra4/base/suggest.h"

#include <vector>

#include <gtest/gtest.h>

namespace contra4 {
namespace {

TEST(Suggest, CountsInsertionsDeletionsReplacementsAndSwaps) {
  EXPECT_EQ(edit_distance("", "abc"), 3U);
  EXPECT_EQ(edit_distance("limit", "limt"), 1U);
  EXPECT_EQ(edit_distance("limit", "lmiit"), 1U);
  EXPECT_EQ(edit_distance("kitten", "sitting"), 3U);
}

TEST(Suggest, FindsTheSlipAndNothingForAStranger) {
  const std::vector<std::string> names = {"--dataset", "--model", "--output"};
  EXPECT_EQ(find_nearest("--datset", names), "--dataset");
  EXPECT_EQ(find_nearest("--modle", names), "--model");
  EXPECT_EQ(find_nearest("--quux-frobnicate", names), std::nullopt);
}

}  // namespace
}  // namespace contra4
