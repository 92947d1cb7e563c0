#include "contra4/data/json_scan.h"

#include <string>

#include <gtest/gtest.h>

#include "contra4/base/random.h"

namespace contra4::data {
namespace {

// Where the value at the start of `text` ends, fed in pieces of `step`; npos when it does not.
std::size_t end_of(std::string_view text, std::size_t step) {
  JsonValueScanner scanner(text.front());
  std::size_t end = 0;
  for (std::size_t i = 0; i < text.size() && !scanner.is_done(); i += step) {
    end += scanner.scan(text.substr(i, step));
  }
  return scanner.is_done() ? end : std::string_view::npos;
}

TEST(JsonScan, FindsTheEndHoweverTheTextArrives) {
  const std::string object =
      R"({"a": "}\"{\\", "b": [{"c": "]"}], "d": {}, "long": ")" + std::string(200, '{') + "\"}";
  const std::string string = R"("with \" and \\")";
  for (const std::string& value : {object, "[" + object + "," + object + "]", string}) {
    for (std::size_t step = 1; step < 150; ++step) {
      ASSERT_EQ(end_of(value + ", {\"next\": 1}]", step), value.size()) << value << step;
      ASSERT_EQ(end_of(value.substr(0, value.size() - 1), step), std::string_view::npos);
    }
  }
}

TEST(JsonScan, BackslashesBeforeABlockBorderCount) {
  for (std::size_t padding = 40; padding < 80; ++padding) {
    for (std::size_t backslashes = 0; backslashes < 9; ++backslashes) {
      std::string text = "{\"" + std::string(padding, 'x') + std::string(backslashes, '\\') + "\"";
      const bool is_string_open = backslashes % 2 == 1;
      text += is_string_open ? "}\"}" : "}";
      ASSERT_EQ(end_of(text + std::string(70, ' '), 1000), text.size())
          << padding << " " << backslashes;
    }
  }
}

TEST(JsonScan, OnlyBracketsOfItsOwnKindCount) {
  EXPECT_EQ(end_of(R"({"a": [}, {"b": 1})", 64), 8U);
  EXPECT_EQ(end_of(R"([{"a": 1], 2])", 64), 9U);
}

TEST(JsonScan, AWordEndsBeforeWhatFollows) {
  for (const char* text : {"12.5e3,", "12.5e3]", "12.5e3 ", "12.5e3\n", "12.5e3}"}) {
    EXPECT_EQ(end_of(text, 2), 6U) << text;
  }
}

TEST(JsonScan, BlocksAndBytesAgreeOnRandomText) {
  Random random(7);
  constexpr std::string_view kAlphabet = "{}[]\"\\ ax";
  for (int round = 0; round < 3000; ++round) {
    std::string text = "{";
    for (int i = 0; i < 300; ++i) text += kAlphabet[random.below(kAlphabet.size())];
    ASSERT_EQ(end_of(text, 1), end_of(text, 1000)) << text;
  }
}

TEST(JsonScan, SlicesGiveValuesAsTheyStand) {
  JsonSlices object(R"({ "a" : 1.50 ,"b": "x\"," , "c":[1, {"}": 2}], "d" : { } })");
  EXPECT_EQ(object.next(), "1.50");
  EXPECT_EQ(object.next(), R"("x\",")");
  EXPECT_EQ(object.next(), R"([1, {"}": 2}])");
  EXPECT_EQ(object.next(), "{ }");
  JsonSlices array("[ true,\n[] , \"\" ]");
  EXPECT_EQ(array.next(), "true");
  EXPECT_EQ(array.next(), "[]");
  EXPECT_EQ(array.next(), "\"\"");
}

}  // namespace
}  // namespace contra4::data
