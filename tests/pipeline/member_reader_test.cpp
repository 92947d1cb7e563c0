#include "contra4/pipeline/member_reader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "contra4/base/error.h"
#include "tests/support/error_of.h"

namespace contra4::pipeline {
namespace {

using ::testing::ElementsAre;
using testing::error_of;
using ::testing::HasSubstr;

// "name=text", with brackets around elements.
std::vector<std::string> pieces_of(const std::string& text, std::uint64_t limit = 1U << 20) {
  MemberReader reader(io::bytes_in_memory(text), "x.json", limit);
  std::vector<std::string> pieces;
  while (const auto piece = reader.next()) {
    pieces.push_back(std::string(piece->member) + (piece->is_element ? "[]=" : "=") +
                     std::string(piece->text));
  }
  EXPECT_FALSE(reader.next().has_value());
  return pieces;
}

TEST(MemberReader, GivesElementsOfListsAndOtherValuesWhole) {
  EXPECT_THAT(
      pieces_of("\xEF\xBB\xBF {\"info\": {\"a\": [1, \"}\"]}, \"n\" :7,\n\"images\": [{\"id\": 1},"
                " {\"id\":\"]\"} ],\"none\":[], \"s\": \"\\\"\", \"t\":true}\n"),
      ElementsAre("info={\"a\": [1, \"}\"]}", "n=7", "images[]={\"id\": 1}",
                  "images[]={\"id\":\"]\"}", "s=\"\\\"\"", "t=true"));
  EXPECT_THAT(pieces_of("{}"), ElementsAre());
  EXPECT_THAT(pieces_of(" { } "), ElementsAre());
}

TEST(MemberReader, ValuesLargerThanABlockAreWhole) {
  const std::string large(700'000, 'x');
  const auto pieces = pieces_of("{\"a\": [\"" + large + "\", 1], \"b\": \"" + large + "\"}");
  ASSERT_EQ(pieces.size(), 3U);
  EXPECT_EQ(pieces[0], "a[]=\"" + large + "\"");
  EXPECT_EQ(pieces[2], "b=\"" + large + "\"");
}

TEST(MemberReader, SaysWhatIsWrongWithAFile) {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"", "ends at the start; is the file cut?"},
      {"[1]", "'{' expected at the start"},
      {"{\"a\": [1, 2", "ends between elements; is the file cut?"},
      {"{\"a\": [{\"b\": 1", "ends inside 'a'; is the file cut?"},
      {"{\"a\"", "ends behind a name; is the file cut?"},
      {"{\"a\" 1}", "':' expected behind a name"},
      {"{\"a\": 1 \"b\": 2}", "',' expected between members"},
      {"{a: 1}", "the name of a member expected"},
      {"{\"a\": ", "ends before a value; is the file cut?"},
      {"{\"a\": 1} x", "more behind the end of the object"},
  };
  for (const auto& [text, reason] : cases) {
    const Error error = error_of([&] { pieces_of(text); });
    EXPECT_EQ(error.code, ErrorCode::kDataLoss) << text;
    EXPECT_THAT(error.message, HasSubstr("x.json: ")) << text;
    EXPECT_THAT(error.message, HasSubstr(reason)) << text;
  }
}

TEST(MemberReader, RefusesAValueAboveTheLimit) {
  const std::string text = "{\"a\": [\"" + std::string(600'000, 'x') + "\"]}";
  const Error error = error_of([&] { pieces_of(text, 1000); });
  EXPECT_EQ(error.code, ErrorCode::kResourceExhausted);
  EXPECT_THAT(error.message, HasSubstr("a value in 'a' has more than 1000 bytes"));
}

}  // namespace
}  // namespace contra4::pipeline
