#include "contra4/eval/orders.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace contra4::eval {
namespace {

using ::testing::ElementsAre;

std::vector<std::string> names(int num_scenes, Permutations kind) {
  std::vector<std::string> names;
  for (const SceneOrder& order : scene_orders(num_scenes, kind)) names.push_back(order_name(order));
  return names;
}

TEST(Orders, OfTheFileAlone) {
  EXPECT_THAT(names(3, Permutations::kNone), ElementsAre("ABC"));
}

TEST(Orders, RotationsBringEveryScenesToEveryPlace) {
  EXPECT_THAT(names(2, Permutations::kCircular), ElementsAre("AB", "BA"));
  EXPECT_THAT(names(4, Permutations::kCircular), ElementsAre("ABCD", "BCDA", "CDAB", "DABC"));
}

TEST(Orders, AllAreLexicographicFromTheFiles) {
  EXPECT_THAT(names(3, Permutations::kAll), ElementsAre("ABC", "ACB", "BAC", "BCA", "CAB", "CBA"));
  EXPECT_EQ(names(4, Permutations::kAll).size(), 24U);
}

TEST(Orders, KindsHaveNames) {
  for (const auto kind : {Permutations::kNone, Permutations::kCircular, Permutations::kAll}) {
    EXPECT_EQ(parse_permutations(to_string(kind)), kind);
  }
  EXPECT_FALSE(parse_permutations("every"));
}

}  // namespace
}  // namespace contra4::eval
