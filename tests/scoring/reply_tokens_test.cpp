#include "contra4/scoring/reply_tokens.h"

#include <gtest/gtest.h>

#include "contra4/scoring/reply_vocabulary.h"

namespace contra4::scoring {
namespace {

TEST(NormaliseReply, TakesDressAndMarkupOff) {
  EXPECT_EQ(normalise_reply("**B**"), "B");
  EXPECT_EQ(normalise_reply("<b>B</b>"), "B");
  EXPECT_EQ(normalise_reply("<B>"), "<B>");
  EXPECT_EQ(normalise_reply("\\boxed{\\text{B}}"), " boxed { {B}}");
  EXPECT_EQ(normalise_reply("\xef\xbc\xa2\xef\xbc\x9a"), "B:");
  EXPECT_EQ(normalise_reply("\xe2\x80\x99"), "'");
  EXPECT_EQ(normalise_reply("a\xff\x80z"), "a  z");
  EXPECT_EQ(normalise_reply("a\xe5\x9c"), "a  ");  // cut in the middle of a character
  EXPECT_EQ(normalise_reply("caf\xc3\xa9"), "caf\xc3\xa9");
}

TEST(NormaliseReply, EndsWhereTheTextDoes) {
  EXPECT_EQ(normalise_reply("B<|eot_id|>A"), "B");
  EXPECT_EQ(normalise_reply("B</s>"), "B");
  EXPECT_EQ(normalise_reply("<|start|>B"), "B");
  EXPECT_EQ(normalise_reply("B <| no token"), "B <| no token");
}

TEST(ReplyTokens, SplitsWordsMarksAndLines) {
  const ReplyTokens tokens("It's Scene B's (2nd)\n3D");
  ASSERT_EQ(tokens.size(), 8U);
  EXPECT_EQ(tokens[0].text, "it's");
  EXPECT_TRUE(tokens[1].is(kNoun));
  EXPECT_EQ(tokens[2].letter, 1);
  EXPECT_TRUE(tokens[2].is_upper);
  EXPECT_TRUE(tokens[3].is_mark("("));
  EXPECT_EQ(tokens[4].number, 2);
  EXPECT_TRUE(tokens[5].touches_previous);
  EXPECT_TRUE(tokens[6].is_newline());
  EXPECT_EQ(tokens[7].text, "3d");
  EXPECT_TRUE(tokens[8].is_newline()) << "beyond the end";
  EXPECT_TRUE(tokens[1000].is_newline());
}

TEST(ReplyTokens, PartsScriptsWithoutBlanksFromLatinLetters) {
  const ReplyTokens tokens(
      "\xe5\x9c\xba\xe6\x99\xaf"
      "B");
  ASSERT_EQ(tokens.size(), 2U);
  EXPECT_EQ(tokens[1].letter, 1);
}

}  // namespace
}  // namespace contra4::scoring
