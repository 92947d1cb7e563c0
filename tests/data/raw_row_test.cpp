#include "contra4/data/raw_row.h"

#include <string>
#include <string_view>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "contra4/data/record_reader.h"

namespace contra4::data {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using Nulls = RawRow::Nulls;

// Keeps the text and its padding alive.
class PaddedRow {
 public:
  explicit PaddedRow(std::string_view text) : text_(text) {
    text_.resize(text.size() + kRecordPadding);
    parsed = row.parse(std::string_view(text_).substr(0, text.size()));
  }

 private:
  std::string text_;

 public:
  RawRow row;
  Result<void> parsed;
};

TEST(RawRow, GivesMembersAsTheyStandInTheText) {
  const PaddedRow padded(R"({"id": "a\"b", "meta": {"w": 1.50}, "list": ["x", null], "n": []})");
  ASSERT_TRUE(padded.parsed);
  EXPECT_THAT(padded.row.members(), ElementsAre("id", "meta", "list", "n"));
  EXPECT_EQ(padded.row.raw("meta"), R"({"w": 1.50})");
  EXPECT_EQ(padded.row.raw("absent"), "");
  EXPECT_THAT(padded.row.raw_elements("list"), ElementsAre("\"x\"", "null"));
  EXPECT_TRUE(padded.row.raw_elements("n").empty());
  EXPECT_TRUE(padded.row.raw_elements("meta").empty());
  EXPECT_EQ(padded.row.id().value().text, "a\"b");
}

TEST(RawRow, ReadsListsOfStringsWithNullsOnlyWhereTheyAreAllowed) {
  const PaddedRow padded(R"({"id": 7, "list": ["x", null]})");
  const auto texts = padded.row.strings("list", Nulls::kAllowed).value();
  EXPECT_EQ(texts[0], "x");
  EXPECT_FALSE(texts[1]);
  EXPECT_THAT(padded.row.strings("list", Nulls::kRefused).error().message,
              HasSubstr("entry 2 of 'list' is null"));
  EXPECT_THAT(padded.row.strings("absent", Nulls::kAllowed).error().message,
              HasSubstr("no 'absent'"));
  EXPECT_THAT(padded.row.strings("id", Nulls::kAllowed).error().message,
              HasSubstr("'id' is a number, not a list"));
}

TEST(RawRow, KeepsIntegersBeyondSixtyFourBits) {
  const PaddedRow padded(R"({"id": 123456789012345678901234567890, "a": ["t"]})");
  ASSERT_TRUE(padded.parsed);
  EXPECT_EQ(padded.row.id().value().text, "123456789012345678901234567890");
  EXPECT_EQ(padded.row.strings("a", Nulls::kRefused).value()[0], "t");
}

TEST(RawRow, ShowsTheFirstCaption) {
  const PaddedRow padded(
      R"({"examples": [{"caption": "a"}, {"caption": ["b", "c"]}, {"caption": []}, {}]})");
  EXPECT_THAT(padded.row.shown_captions().value(), ElementsAre("a", "b", "", ""));
  EXPECT_FALSE(PaddedRow(R"({"examples": [7]})").row.shown_captions());
  EXPECT_FALSE(PaddedRow(R"({"examples": [{"caption": 7}]})").row.shown_captions());
}

TEST(RawRow, OpensForMoreMembers) {
  const std::vector<std::string> none = {"other"};
  EXPECT_EQ(PaddedRow(R"({"id": 1, "a": [1] } )").row.open_without(none), R"({"id": 1, "a": [1])");
  const std::vector<std::string> some = {"a", "z"};
  EXPECT_EQ(PaddedRow(R"({"a": 1, "b\n": "}", "z": {}})").row.open_without(some), R"({"b\n": "}")");
  EXPECT_EQ(PaddedRow("{\n \"id\": 1,\n \"b\": [1,\n 2]\n}").row.open_without(none),
            R"({"id":1,"b":[1,2])");
}

TEST(RawRow, SaysWhatIsNoRow) {
  EXPECT_EQ(PaddedRow("{\"a\": tru}").parsed.error().code, ErrorCode::kDataLoss);
  EXPECT_THAT(PaddedRow("[1]").parsed.error().message, HasSubstr("a list, not an object"));
  EXPECT_FALSE(PaddedRow("").parsed);
  EXPECT_FALSE(PaddedRow("{\"id\": true}").row.id());
}

}  // namespace
}  // namespace contra4::data
