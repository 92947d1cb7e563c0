#include "contra4/pipeline/modality_evenness.h"

#include <cstdint>
#include <set>
#include <vector>

#include <gtest/gtest.h>

#include "contra4/base/random.h"

namespace contra4::pipeline {
namespace {

constexpr std::uint8_t bit(Modality modality) {
  return static_cast<std::uint8_t>(1U << static_cast<unsigned>(modality));
}

// Sounds are right nine times of ten.
std::vector<ModalityChoice> mostly_sounds(std::size_t count) {
  std::vector<ModalityChoice> choices;
  Random random(3);
  for (std::size_t i = 0; i < count; ++i) {
    const Modality other = kModalities[1 + random.below(3)];
    const Modality right = random.below(10) < 9 ? Modality::kAudio : other;
    choices.push_back({static_cast<std::uint8_t>(bit(Modality::kAudio) | bit(other)), 2, right});
  }
  return choices;
}

TEST(BestModalityOrder, IsTheOneThatIsRightMostOften) {
  const auto choices = mostly_sounds(1000);
  const BestOrder best = best_modality_order(choices);
  EXPECT_EQ(best.order.front(), Modality::kAudio);
  EXPECT_GT(best.accuracy, .85);
  EXPECT_DOUBLE_EQ(best.chance, .5);
  EXPECT_EQ(best_modality_order({}).accuracy, 0);
}

TEST(UnevenItems, LeaveNoOrderMoreThanTheMarginAboveChance) {
  const auto choices = mostly_sounds(1000);
  const auto left_out = uneven_items(choices, .02, 1);
  const std::set<std::size_t> gone(left_out.begin(), left_out.end());
  EXPECT_EQ(gone.size(), left_out.size());
  std::vector<ModalityChoice> rest;
  for (std::size_t i = 0; i < choices.size(); ++i) {
    if (!gone.contains(i)) rest.push_back(choices[i]);
  }
  const BestOrder best = best_modality_order(rest);
  EXPECT_LE(best.accuracy - best.chance, .02);
  EXPECT_GT(rest.size(), 150U) << "all that are not sounds, and as many sounds";
}

TEST(UnevenItems, AreNoneWhereNothingIsUneven) {
  std::vector<ModalityChoice> choices;
  for (int i = 0; i < 10; ++i) {
    choices.push_back({static_cast<std::uint8_t>(bit(Modality::kAudio) | bit(Modality::kImage)), 2,
                       i % 2 == 0 ? Modality::kAudio : Modality::kImage});
  }
  EXPECT_TRUE(uneven_items(choices, .02, 1).empty());
  EXPECT_TRUE(uneven_items({}, .02, 1).empty());
}

TEST(UnevenItems, DependOnTheSeedAlone) {
  const auto choices = mostly_sounds(300);
  EXPECT_EQ(uneven_items(choices, .02, 1), uneven_items(choices, .02, 1));
  EXPECT_NE(uneven_items(choices, .02, 1), uneven_items(choices, .02, 2));
}

}  // namespace
}  // namespace contra4::pipeline
