#include "contra4/scoring/reply_vocabulary.h"

#include <gtest/gtest.h>

namespace contra4::scoring {
namespace {

TEST(ReplyVocabulary, KnowsWordsInLowerCase) {
  const WordEntry* const scene = find_word("scene");
  ASSERT_NE(scene, nullptr);
  EXPECT_TRUE(scene->classes & kNoun);
  EXPECT_EQ(find_word("Scene"), nullptr);
  EXPECT_EQ(find_word("thunder"), nullptr);
  EXPECT_EQ(find_word(""), nullptr);
}

TEST(ReplyVocabulary, CountsFromOne) {
  EXPECT_EQ(find_word("first")->number, 1);
  EXPECT_EQ(find_word("4th")->number, 4);
  EXPECT_EQ(find_word("two")->number, 2);
  EXPECT_TRUE(find_word("two")->classes & kNumber);
}

TEST(ReplyVocabulary, FindsPartsOfIdeographs) {
  EXPECT_TRUE(ideograph_classes("正确答案是") & kAnswerNoun);
  EXPECT_TRUE(ideograph_classes("不是") & kNegation);
  EXPECT_EQ(ideograph_classes("天气"), 0U);
}

}  // namespace
}  // namespace contra4::scoring
