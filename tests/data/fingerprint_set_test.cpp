#include "contra4/data/fingerprint_set.h"

#include <string>

#include <gtest/gtest.h>

namespace contra4::data {
namespace {

TEST(FingerprintSet, RemembersTheFirstRowOfEachText) {
  FingerprintSet set;
  constexpr std::uint64_t kTexts = 200000;
  for (std::uint64_t i = 1; i <= kTexts; ++i) {
    ASSERT_FALSE(set.insert("random_" + std::to_string(i), i).has_value()) << i;
  }
  EXPECT_EQ(set.size(), kTexts);
  for (std::uint64_t i = 1; i <= kTexts; i += 997) {
    ASSERT_EQ(set.insert("random_" + std::to_string(i), kTexts + i), i);
  }
  EXPECT_EQ(set.size(), kTexts);
}

TEST(FingerprintSet, TellsApartWhatDiffersInLengthOrZeros) {
  FingerprintSet set;
  std::uint64_t row = 0;
  for (const std::string& text :
       {std::string(), std::string(1, '\0'), std::string(2, '\0'), std::string(8, '\0'),
        std::string(9, '\0'), std::string("7"), std::string("07"), std::string("007")}) {
    EXPECT_FALSE(set.insert(text, ++row).has_value());
  }
  EXPECT_EQ(set.insert("007", 99), 8U);
}

TEST(FingerprintSet, RowsAboveThirtyTwoBitsAreStillFound) {
  FingerprintSet set;
  set.insert("x", 1ULL << 40);
  EXPECT_EQ(set.insert("x", 1), 0xFFFFFFFFU);
}

}  // namespace
}  // namespace contra4::data
