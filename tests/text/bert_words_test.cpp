#include "contra4/text/bert_words.h"

#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace contra4::text {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

// Words of a text; those above 100 characters as "(long)".
std::vector<std::string> words_of(std::string_view text) {
  std::vector<std::string> words;
  for_each_bert_word(text, 100, [&](const BertWord& word) {
    words.push_back(word.is_too_long ? "(long)" : std::string(word.bytes));
    return true;
  });
  return words;
}

TEST(BertWords, PartsAtWhiteSpaceAndLowersCase) {
  EXPECT_THAT(words_of(""), IsEmpty());
  EXPECT_THAT(words_of(" \t\r\n\u00a0\u3000\u2028"), IsEmpty());
  EXPECT_THAT(words_of("A Big\tDOG\u2003runs\r\n"), ElementsAre("a", "big", "dog", "runs"));
}

TEST(BertWords, EachPunctuationMarkIsAWord) {
  EXPECT_THAT(words_of("don't stop...$5"),
              ElementsAre("don", "'", "t", "stop", ".", ".", ".", "$", "5"));
  EXPECT_THAT(words_of("«a»—b"), ElementsAre("«", "a", "»", "—", "b"));
  EXPECT_THAT(words_of("a€b"), ElementsAre("a€b"));  // a symbol, not punctuation
}

TEST(BertWords, StripsAccentsBeforeItLowersCase) {
  EXPECT_THAT(words_of("Café CAFÉ cafe\u0301"), ElementsAre("cafe", "cafe", "cafe"));
  EXPECT_THAT(words_of("İstanbul Straße ǅ"), ElementsAre("istanbul", "straße", "ǆ"));
  EXPECT_THAT(words_of("\u0301"), IsEmpty());
}

TEST(BertWords, DecomposesHangulAndCanonicalForms) {
  EXPECT_THAT(words_of("한"), ElementsAre("\u1112\u1161\u11ab"));
  EXPECT_THAT(words_of("a\u037eb"), ElementsAre("a", ";", "b"));  // Greek question mark
  EXPECT_THAT(words_of("a\u1fefb"), ElementsAre("a", "`", "b"));  // Greek varia
  EXPECT_THAT(words_of("a\u2000b"), ElementsAre("a", "b"));       // en quad
  EXPECT_THAT(words_of("\u212b\u2126"), ElementsAre("a\u03c9"));  // angstrom, ohm
  EXPECT_THAT(words_of("\ufb01"), ElementsAre("\ufb01"));         // no compatibility forms
}

TEST(BertWords, OrdersCombiningMarksThatAreNotStripped) {
  // Musical symbols: the stem (class 216) and the flag (216) keep their order; a nonspacing mark
  // between them vanishes.
  EXPECT_THAT(words_of("x\U0001D165\u0301\U0001D16E"), ElementsAre("x\U0001D165\U0001D16E"));
  // Class 226 before 216 is put behind it.
  EXPECT_THAT(words_of("x\U0001D16D\U0001D165"), ElementsAre("x\U0001D165\U0001D16D"));
}

TEST(BertWords, ChineseCharactersStandAlone) {
  EXPECT_THAT(words_of("中mixed文text"), ElementsAre("中", "mixed", "文", "text"));
  EXPECT_THAT(words_of("\U00020000\U0002F800"), ElementsAre("\U00020000", "\u4e3d"));
  EXPECT_THAT(words_of("かな"), ElementsAre("かな"));
  EXPECT_THAT(words_of("\U0002B820\U0002B821"), ElementsAre("\U0002B820\U0002B821"));
}

TEST(BertWords, DropsControlsAndWhatIsNoUtf8) {
  EXPECT_THAT(words_of(std::string_view("a\0b\x07"
                                        "c\x7f"
                                        "d\x0b"
                                        "e",
                                        9)),
              ElementsAre("abcde"));
  EXPECT_THAT(words_of("a\u200bb\ufeffc\ufffdd\ue000e\u00ad"), ElementsAre("abcde"));
  EXPECT_THAT(words_of("a\x80\xff\xc3"), ElementsAre("a"));
  EXPECT_THAT(words_of("a\xe4\xb8 b"), ElementsAre("a", "b"));     // cut
  EXPECT_THAT(words_of("a\xed\xa0\x80z"), ElementsAre("az"));      // surrogate
  EXPECT_THAT(words_of("a\xc0\xafz"), ElementsAre("az"));          // overlong
  EXPECT_THAT(words_of("a\xf4\x90\x80\x80z"), ElementsAre("az"));  // above U+10FFFF
}

TEST(BertWords, KeepsUnassignedCodePoints) {
  EXPECT_THAT(words_of("a\u0378b"), ElementsAre("a\u0378"
                                                "b"));
}

TEST(BertWords, MarksLongWordsByCharactersNotBytes) {
  std::string hundred;
  for (int i = 0; i < 100; ++i) hundred += "ж";
  EXPECT_THAT(words_of(hundred), ElementsAre(hundred));
  EXPECT_THAT(words_of(hundred + "ж b"), ElementsAre("(long)", "b"));
  EXPECT_THAT(words_of(std::string(1'000'000, 'x')), ElementsAre("(long)"));
}

TEST(BertWords, StopsWhereTheCallerWants) {
  int count = 0;
  for_each_bert_word("a,b c", 100, [&](const BertWord&) { return ++count < 2; });
  EXPECT_EQ(count, 2);
}

}  // namespace
}  // namespace contra4::text
