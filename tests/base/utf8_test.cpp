#include "contra4/base/utf8.h"

#include <string_view>

#include <gtest/gtest.h>

namespace contra4 {
namespace {

TEST(Utf8, CountsCharactersNotBytes) {
  EXPECT_EQ(num_characters(""), 0U);
  EXPECT_EQ(num_characters("dog"), 3U);
  EXPECT_EQ(num_characters("\u00e9"), 1U);                     // two bytes
  EXPECT_EQ(num_characters("\u732b and \U0001F415"), 7U);      // three, and four
  EXPECT_EQ(num_characters(std::string_view("a\0b", 3)), 3U);  // a zero is one
}

TEST(Utf8, KnowsTheBytesThatGoOn) {
  EXPECT_FALSE(continues_character('a'));
  EXPECT_FALSE(continues_character('\xC3'));  // begins one of two bytes
  EXPECT_FALSE(continues_character('\xF0'));
  EXPECT_TRUE(continues_character('\x80'));
  EXPECT_TRUE(continues_character('\xBF'));
}

}  // namespace
}  // namespace contra4
