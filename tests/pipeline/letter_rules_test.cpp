#include "contra4/pipeline/letter_rules.h"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

namespace contra4::pipeline {
namespace {

struct Case {
  std::string_view reply;
  std::string_view verify;
  std::string_view filter;
  std::string_view balance;
};

// Each column is what the script of that step makes of the reply.
const std::vector<Case>& cases() {
  static const std::vector<Case> all = {
      {"B", "Scene B", "Scene B", "Scene B"},
      {"Scene B. Scene A is quiet", "Scene B", "Scene B", "Scene B"},
      {"Scene B, not A", "Scene B, not A", "Scene B", "Scene B"},
      {"I think Scene A, not B", "I think Scene A, not B", "Scene A", "Scene A"},
      {"Both Scene A and Scene B", "Both Scene A and Scene B", "Both Scene A and Scene B", ""},
      {"Scene A or Scene A", "Scene A", "Scene A", "Scene A"},
      {"Scene E or Scene C", "Scene C", "Scene C", "Scene C"},
      {"A man walks; Scene C", "A man walks; Scene C", "Scene C", "Scene C"},
      {"Answer: B", "Answer: B", "Scene B", ""},
      {"Answer: Scene B", "Answer: Scene B", "Scene B", "Scene B"},
      {"Answer Answer: none", "Scene A", " : none", "Scene A"},
      {"BAnswer", "BAnswer", "Scene B", ""},
      {"Scene Answer B", "Scene Answer B", "Scene B", "Scene A"},
      {"scene a", "scene a", "scene a", ""},
      {"Scene E", "Scene E", "Scene E", ""},
      {"Option B", "Scene B", "Scene B", "Scene B"},
      {"none of them", "none of them", "none of them", ""},
      {".B", "", "", ""},
      {"", "", "", ""},
      {"It depends on D", "Scene D", "Scene D", "Scene D"},
      {"Scene Both A", "Scene Both A", "Scene B", "Scene B"},
      {"\xC3\x84 Scene D</s>", "Scene D", "Scene D", "Scene D"},
  };
  return all;
}

TEST(LetterRules, ReadAsTheScriptOfTheirStepDoes) {
  for (const Case& expected : cases()) {
    SCOPED_TRACE(expected.reply);
    EXPECT_EQ(formatted_answer(expected.reply, LetterRule::kVerify), expected.verify);
    EXPECT_EQ(formatted_answer(expected.reply, LetterRule::kFilter), expected.filter);
    EXPECT_EQ(formatted_answer(expected.reply, LetterRule::kBalance), expected.balance);
  }
}

TEST(LetterRules, GiveALetterExactlyWhereTheScriptsGiveAScene) {
  const std::vector<std::string_view> names = {"Scene A", "Scene B", "Scene C", "Scene D"};
  for (const Case& any : cases()) {
    SCOPED_TRACE(any.reply);
    for (const LetterRule rule : {LetterRule::kVerify, LetterRule::kFilter, LetterRule::kBalance}) {
      const std::string formatted = formatted_answer(any.reply, rule);
      std::optional<int> letter;
      for (std::size_t i = 0; i < names.size(); ++i) {
        if (formatted == names[i]) letter = static_cast<int>(i);
      }
      EXPECT_EQ(read_letter(any.reply, rule), letter);
    }
  }
}

TEST(LetterRules, AReplyIsItsFirstLineUpToTheEndOfText) {
  EXPECT_EQ(published_reply_line(" Scene B \nScene C"), "Scene B");
  EXPECT_EQ(published_reply_line("Scene B </s> Scene C"), "Scene B");
  EXPECT_EQ(published_reply_line("\nScene C"), "");
  EXPECT_EQ(published_reply_line("\xC2\xA0\tB\xE3\x80\x80\x1f"), "B");
  EXPECT_EQ(published_reply_line("</s>"), "");
  EXPECT_EQ(published_reply_line(""), "");
}

}  // namespace
}  // namespace contra4::pipeline
