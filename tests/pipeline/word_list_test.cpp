#include "contra4/pipeline/word_list.h"

#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/error_of.h"

namespace contra4::pipeline {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

WordList words(std::vector<std::string> phrases, WordMatch match = WordMatch::kAnywhere) {
  return {std::move(phrases), match};
}

TEST(WordList, TheCompiledInListIsThePublishedOne) {
  const auto phrases = parse_word_list(default_word_list(), "default");
  EXPECT_EQ(phrases.size(), 36U);
  EXPECT_EQ(phrases.front(), "more than one person");
  EXPECT_EQ(phrases.back(), "more people");
}

TEST(WordList, SkipsCommentsBlanksAndRepetitions) {
  EXPECT_THAT(parse_word_list("\xEF\xBB\xBF# list\r\n\r\n  Point Cloud \r\nhear\npoint cloud", "f"),
              ElementsAre("point cloud", "hear"));
}

TEST(WordList, RefusesAListWithoutWords) {
  const Error error = contra4::testing::error_of([] { parse_word_list("# none\n\n", "mine.txt"); });
  EXPECT_EQ(error.code, ErrorCode::kInvalidArgument);
  EXPECT_THAT(error.message, HasSubstr("mine.txt"));
}

TEST(WordList, FindsPhrasesInsideWordsAndInAnyCase) {
  const WordList list = words({"hear", "3d", "more people"});
  EXPECT_TRUE(list.has_hit("Which scene warms the HEART?"));
  EXPECT_THAT(list.hits("More People than in 3D hearing"),
              ElementsAre("hear", "3d", "more people"));
  EXPECT_FALSE(list.has_hit("Which scene is louder?"));
  EXPECT_FALSE(list.has_hit(""));
}

TEST(WordList, FindsWholeWordsOnRequest) {
  const WordList list = words({"hear", "point cloud"}, WordMatch::kWholeWords);
  EXPECT_FALSE(
      list.has_hit("heart, unheard, h\xC3\xA9"
                   "hear, hear2"));
  EXPECT_TRUE(list.has_hit("Do you hear?"));
  EXPECT_TRUE(list.has_hit("hear"));
  EXPECT_TRUE(list.has_hit("heart or hear"));
  EXPECT_THAT(list.hits("a point cloudy"), IsEmpty());
}

}  // namespace
}  // namespace contra4::pipeline
