#include "contra4/pipeline/scene_move.h"

#include <algorithm>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "contra4/scoring/scene_orders.h"

namespace contra4::pipeline {
namespace {

using ::testing::ElementsAre;

TEST(MovedOrder, MovesOneSceneAndKeepsTheSequenceOfTheOthers) {
  EXPECT_THAT(moved_order(4, 2, 0), ElementsAre(2, 0, 1, 3));
  EXPECT_THAT(moved_order(4, 0, 3), ElementsAre(1, 2, 3, 0));
  EXPECT_THAT(moved_order(3, 1, 1), ElementsAre(0, 1, 2));
  EXPECT_THAT(moved_order(2, 1, 0), ElementsAre(1, 0));
}

// A reply belongs to what was shown: which media stood at which place.
TEST(ListOrder, KeepsEachReplyWithTheScenesThatWereShown) {
  for (int n = 2; n <= 4; ++n) {
    const auto all = scoring::all_orders(n);
    for (const auto& order : all) {
      const auto entries = list_order(order);
      ASSERT_EQ(entries.size(), all.size());
      for (std::size_t k = 0; k < all.size(); ++k) {
        std::vector<int> shown_after;
        for (const int scene : all[k]) {
          shown_after.push_back(order[static_cast<std::size_t>(scene)]);
        }
        EXPECT_EQ(shown_after, all[entries[k]]);
      }
    }
  }
}

TEST(MovedAnswer, NamesTheScenesAsTheyAreNow) {
  const scoring::SceneOrder swapped = {1, 0};
  EXPECT_EQ(moved_answer("Scene B", swapped, 1), "Scene A");
  EXPECT_EQ(moved_answer("Scene B. Because it is louder than Scene A.", swapped, 1),
            "Scene A. Because it is louder than Scene B.");
  EXPECT_EQ(moved_answer("A, since it rains. A dog barks in scene B.", swapped, 0),
            "Scene B, since it rains. A dog barks in scene A.");
  EXPECT_EQ(moved_answer("Scene C. Scene A is dark, Scene D is not.", {2, 0, 1, 3}, 2),
            "Scene A. Scene B is dark, Scene D is not.");
}

TEST(MovedAnswer, LeavesAnExplanationOutThatItCannotRename) {
  EXPECT_EQ(moved_answer("Scene B. Unlike A, it is loud.", {1, 0}, 1), "Scene A");
  EXPECT_EQ(moved_answer("Scene A. B is quiet.", {1, 0}, 0), "Scene B");
  EXPECT_EQ(moved_answer("The loud one, so B", {1, 0}, 1), "Scene A");
  EXPECT_EQ(moved_answer("A dog barks in it", {1, 0}, 0), "Scene B");
  EXPECT_EQ(moved_answer("", {1, 0}, 0), "Scene B");
}

TEST(MovedAnswer, StaysAsItIsWhereNothingMovesAndItBeginsWithTheScene) {
  EXPECT_EQ(moved_answer("Scene B. Unlike A, it is loud.", {0, 1}, 1),
            "Scene B. Unlike A, it is loud.");
  EXPECT_EQ(moved_answer("The loud one, so B", {0, 1}, 1), "Scene B");
  EXPECT_EQ(moved_answer("Answer: Scene B. It is.", {0, 1}, 1), "Scene B. It is.");
  EXPECT_EQ(moved_answer("Answer: Scene B. It is.", {1, 0}, 1), "Scene A. It is.");
}

}  // namespace
}  // namespace contra4::pipeline
