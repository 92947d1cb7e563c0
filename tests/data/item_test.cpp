#include "contra4/data/item.h"

#include <gtest/gtest.h>

namespace contra4 {
namespace {

TEST(Item, ReadsTheGoldAnswersOfAllSchemas) {
  EXPECT_EQ(parse_gold_answer("A"), 0);
  EXPECT_EQ(parse_gold_answer("Scene B"), 1);
  EXPECT_EQ(parse_gold_answer("Scene D. It is louder"), 3);
  EXPECT_EQ(parse_gold_answer("C: because"), 2);
}

TEST(Item, NamesNoSceneForAnythingElse) {
  for (const char* text :
       {"", "E", "Scene E", "a", "scene a", "Apple", "Scene", "Scene ", "AB", "It depends", " A"}) {
    EXPECT_FALSE(parse_gold_answer(text).has_value()) << text;
  }
}

TEST(Item, NamesScenesByLetter) {
  EXPECT_EQ(scene_name(0), "Scene A");
  EXPECT_EQ(scene_name(3), "Scene D");
}

TEST(Item, TheCaptionShownIsTheFirst) {
  Scene scene;
  EXPECT_EQ(scene.caption(), "");
  scene.captions = {"one", "two"};
  EXPECT_EQ(scene.caption(), "one");
}

TEST(Item, IdsAreTheSameWhenTheirTextIs) {
  EXPECT_EQ((RecordId{"7", true}), (RecordId{"7", false}));
  EXPECT_NE((RecordId{"7", true}), (RecordId{"007", false}));
}

}  // namespace
}  // namespace contra4
