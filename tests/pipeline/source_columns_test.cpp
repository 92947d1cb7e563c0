#include "contra4/pipeline/source_columns.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "contra4/io/json_writer.h"

namespace contra4::pipeline {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

const io::JsonValue& row() {
  static const io::JsonValue value =
      io::parse_json(R"({"id": 7, "start": "30", "real": "1.5", "n": 4, "text": "x", "none": null,
                         "empty": "", "a.b": "dotted", "a": {"b": [1, {"c": "deep"}]},
                         "big": 9223372036854775807, "c+1": "plain"})",
                     "row")
          .value();
  return value;
}

std::string value_of(const char* text) {
  const auto value = ColumnExpression::parse(text).value().value_in(row());
  if (!value) return "error: " + value.error().message;
  io::JsonWriter json;
  json.value(*value);
  return json.take();
}

TEST(SourceColumns, NamesPathsSumsAndTemplates) {
  EXPECT_EQ(value_of("id"), "7");
  EXPECT_EQ(value_of("a.b"), "\"dotted\"");  // a name before a path
  EXPECT_EQ(value_of("a.b.-1.c"), "\"deep\"");
  EXPECT_EQ(value_of("a.b.0"), "1");
  EXPECT_EQ(value_of("start+10"), "40");
  EXPECT_EQ(value_of("real+10"), "11.5");
  EXPECT_EQ(value_of("n+1"), "5");
  EXPECT_EQ(value_of("c+1"), "\"plain\"");
  EXPECT_EQ(value_of("https://example.org/{id}/{text}.jpg"), "\"https://example.org/7/x.jpg\"");
}

TEST(SourceColumns, WhatIsNotThereIsNull) {
  for (const char* text : {"missing", "none", "empty", "a.x", "a.b.9", "missing+10", "empty+1",
                           "x{missing}", "x{empty}", "id.x"}) {
    EXPECT_EQ(value_of(text), "null") << text;
  }
}

TEST(SourceColumns, SumsOfOtherThingsAreErrors) {
  EXPECT_THAT(value_of("text+10"), HasSubstr("error: 'text' is 'x', not a number"));
  EXPECT_THAT(value_of("a+10"), HasSubstr("error: 'a' is not a number"));
  EXPECT_EQ(value_of("big+1"), "9223372036854775808");  // as a real number
}

TEST(SourceColumns, RefusesBracesThatDoNotMatch) {
  for (const char* text : {"{", "}", "a{b", "a}b", "{}", "{a}}"}) {
    const auto expression = ColumnExpression::parse(text);
    ASSERT_FALSE(expression.has_value()) << text;
    EXPECT_THAT(expression.error().message, HasSubstr("each { needs a column and a }"));
  }
}

TEST(SourceColumns, SaysWhichColumnsATableMustHave) {
  EXPECT_THAT(ColumnExpression::parse("start+10").value().columns(), ElementsAre("start"));
  EXPECT_THAT(ColumnExpression::parse("{a}/{b c}").value().columns(), ElementsAre("a", "b c"));
  EXPECT_THAT(ColumnExpression::parse("caption").value().columns(), ElementsAre("caption"));
}

TEST(SourceColumns, ReadsNumbersAsJsonHasThem) {
  EXPECT_EQ(number_in("30")->find_integer(), 30);
  EXPECT_EQ(number_in("116.03")->find_number(), 116.03);
  for (const char* text : {"", "x", "007", "1e", "nan", "1 2", "--1", "+1"}) {
    EXPECT_FALSE(number_in(text).has_value()) << text;
  }
}

}  // namespace
}  // namespace contra4::pipeline
