#include "contra4/data/json_node.h"

#include <gtest/gtest.h>

namespace contra4::data {
namespace {

TEST(JsonNode, BlanksOnlyIntegersThatMayExceedSixtyFourBits) {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"[123456789012345678901]", "[0                    ]"},
      {"[-123456789012345678901]", "[-0                    ]"},
      {"{\"a\":18446744073709551616}", "{\"a\":0                   }"},
      {"123456789012345678901", "0                    "},
      {"[123456789012345678]", ""},
      {"[0.123456789012345678901]", ""},
      {"[1234567890123456789012.5]", ""},
      {"[1234567890123456789012e5]", ""},
      {"[00123456789012345678901]", ""},
      {R"(["123456789012345678901", "\\\"123456789012345678901"])", ""},
  };
  for (const auto& [text, blanked] : cases) {
    std::string copy = text;
    EXPECT_EQ(blank_big_integers(copy), !blanked.empty()) << text;
    EXPECT_EQ(copy, blanked.empty() ? text : blanked);
  }
}

TEST(JsonNode, CompactTakesOutWhiteSpaceBetweenTokensOnly) {
  EXPECT_EQ(compact("{ \"a b\" : [ 1.50 ,\n null ] }"), "{\"a b\":[1.50,null]}");
  EXPECT_EQ(compact("\" x \""), "\" x \"");
  EXPECT_EQ(compact("{}"), "{}");
}

TEST(JsonNode, AMarkedIntegerMustBeOneInJson) {
  RecordId id{"-120", false};
  mark_as_integer(id, {"id"});
  EXPECT_TRUE(id.is_integer);
  for (const char* text : {"", "-", "007", "-07", "1.0", "1e5", "x", "1,2"}) {
    id = {text, false};
    EXPECT_THROW(mark_as_integer(id, {"id"}), Rejection) << text;
  }
}

TEST(JsonNode, NamesPlacesAndTypes) {
  EXPECT_EQ(words({"id"}), "'id'");
  EXPECT_EQ(words({"caption", 1}), "'caption' of Scene B");
  simdjson::dom::parser parser;
  EXPECT_EQ(type_name({parser.parse("[]", 2), {}}), "a list");
}

}  // namespace
}  // namespace contra4::data
