#include "contra4/base/random.h"

#include <algorithm>

#include <gtest/gtest.h>

namespace contra4 {
namespace {

TEST(Random, SequenceIsTheReferenceOneOfSplitMix64) {
  Random random(1234567);
  EXPECT_EQ(random.next(), 6457827717110365317ULL);
  EXPECT_EQ(random.next(), 3203168211198807973ULL);
}

TEST(Random, BelowStaysInRangeAndReachesAllOfIt) {
  Random random(1);
  std::vector<int> seen(7, 0);
  for (int i = 0; i < 7000; ++i) ++seen.at(random.below(7));
  EXPECT_GT(*std::ranges::min_element(seen), 800);
}

TEST(Random, ShuffleKeepsTheElementsAndDependsOnTheSeedOnly) {
  std::vector<int> a = {1, 2, 3, 4, 5, 6, 7, 8, 9};
  std::vector<int> b = a;
  const std::vector<int> original = a;
  Random(5).shuffle(a);
  Random(5).shuffle(b);
  EXPECT_EQ(a, b);
  EXPECT_NE(a, original);
  EXPECT_TRUE(std::ranges::is_permutation(a, original));
}

TEST(Random, UniformIsInTheHalfOpenUnitInterval) {
  Random random(9);
  for (int i = 0; i < 1000; ++i) {
    const double value = random.uniform();
    ASSERT_GE(value, 0);
    ASSERT_LT(value, 1);
  }
}

}  // namespace
}  // namespace contra4
