#include "contra4/scoring/published_accuracies.h"

#include <algorithm>

#include <gtest/gtest.h>

#include "contra4/scoring/accuracy.h"

namespace contra4::scoring {
namespace {

TEST(PublishedAccuracies, AreSortedAndNamedByOurCells) {
  const auto rows = published_accuracies();
  ASSERT_EQ(rows.size(), 6U);
  EXPECT_TRUE(std::is_sorted(rows.begin(), rows.end(), [](const auto& a, const auto& b) {
    return *a.find("all") > *b.find("all");
  }));
  for (const std::string_view cell : kPublishedCells) {
    EXPECT_NE(std::find(kCells.begin(), kCells.end(), cell), kCells.end()) << cell;
  }
  EXPECT_EQ(rows[0].find("mc_4/similarity"), .39);
  EXPECT_EQ(rows[5].find("mc_4/random"), std::nullopt);
  EXPECT_EQ(rows[0].find("mc_2"), std::nullopt);
  EXPECT_EQ(rows[0].input, "media");
  EXPECT_EQ(rows[2].model, "Llama-3.1-8B");
  EXPECT_EQ(rows[2].input, "predicted-captions");
}

}  // namespace
}  // namespace contra4::scoring
