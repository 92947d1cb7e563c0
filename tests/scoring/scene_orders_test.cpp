#include "contra4/scoring/scene_orders.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace contra4::scoring {
namespace {

using ::testing::ElementsAre;

std::vector<std::string> names(int num_scenes) {
  std::vector<std::string> names;
  for (const SceneOrder& order : all_orders(num_scenes)) names.push_back(order_name(order));
  return names;
}

TEST(SceneOrders, AllAreLexicographicFromTheFiles) {
  EXPECT_THAT(names(1), ElementsAre("A"));
  EXPECT_THAT(names(2), ElementsAre("AB", "BA"));
  EXPECT_THAT(names(3), ElementsAre("ABC", "ACB", "BAC", "BCA", "CAB", "CBA"));
  EXPECT_EQ(names(4).size(), 24U);
}

TEST(SceneOrders, NamesAreReadBack) {
  for (const SceneOrder& order : all_orders(4)) {
    EXPECT_EQ(parse_order(order_name(order), 4), order);
  }
}

TEST(SceneOrders, RejectsWhatIsNoPermutation) {
  for (const char* name : {"", "A", "AA", "AC", "ABC", "ab", "A ", "BA\n"}) {
    EXPECT_FALSE(parse_order(name, 2)) << name;
  }
}

TEST(SceneOrders, FileOrderIsTold) {
  EXPECT_EQ(file_order(3), (SceneOrder{0, 1, 2}));
  EXPECT_TRUE(is_file_order({0, 1, 2}));
  EXPECT_FALSE(is_file_order({1, 0, 2}));
}

}  // namespace
}  // namespace contra4::scoring
