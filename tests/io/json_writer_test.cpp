#include "contra4/io/json_writer.h"

#include <limits>

#include <gtest/gtest.h>

#include "contra4/io/json.h"

namespace contra4::io {
namespace {

TEST(JsonWriter, WritesOneLineAsPythonDoes) {
  JsonWriter writer;
  writer.begin_object().member("id", "x").member("n", 3).key("list").begin_array();
  writer.value(1.5).value(true).null().end_array().key("empty").begin_object().end_object();
  writer.end_object();
  EXPECT_EQ(writer.text(), R"({"id": "x", "n": 3, "list": [1.5, true, null], "empty": {}})");
}

TEST(JsonWriter, IndentsAsAsked) {
  JsonWriter writer(2);
  writer.begin_object().key("a").begin_array().value(1).value(2).end_array().end_object();
  EXPECT_EQ(writer.text(), "{\n  \"a\": [\n    1,\n    2\n  ]\n}");
}

TEST(JsonWriter, EscapesWhatMustBeAndReplacesInvalidUtf8) {
  EXPECT_EQ(json_quote("a\"b\\c\n\t\x01 \xC3\xA9"), "\"a\\\"b\\\\c\\n\\t\\u0001 \xC3\xA9\"");
  EXPECT_EQ(json_quote("x\xFFy"), "\"x\xEF\xBF\xBDy\"");
  EXPECT_EQ(json_quote("cut \xE2\x82"), "\"cut \xEF\xBF\xBD\xEF\xBF\xBD\"");
  EXPECT_EQ(json_quote("\xED\xA0\x80"), "\"\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\"");  // a surrogate
}

TEST(JsonWriter, NumbersReadBackTheSame) {
  for (const double number : {0.1, 1.0 / 3, 1e300, -2.5e-8, 123456789.123}) {
    JsonWriter writer;
    writer.value(number);
    EXPECT_EQ(parse_json(writer.text(), "n").value().find_number(), number) << writer.text();
  }
  EXPECT_EQ(JsonWriter().value(std::numeric_limits<double>::quiet_NaN()).text(), "null");
  EXPECT_EQ(JsonWriter().value(std::numeric_limits<std::uint64_t>::max()).text(),
            "18446744073709551615");
  EXPECT_EQ(JsonWriter().value(std::numeric_limits<std::int64_t>::min()).text(),
            "-9223372036854775808");
}

TEST(JsonWriter, CopiesParsedTrees) {
  const std::string text = R"({"a": [1, 2.5, "x", null, false], "b": {"c": []}})";
  EXPECT_EQ(JsonWriter().value(parse_json(text, "t").value()).text(), text);
}

TEST(JsonWriter, TakeGivesPiecesOfOneDocument) {
  JsonWriter writer;
  writer.begin_array();
  EXPECT_EQ(writer.take(), "[");
  writer.value(1);
  EXPECT_EQ(writer.take(), "1");
  writer.value(2).end_array();
  EXPECT_EQ(writer.take(), ", 2]");
}

}  // namespace
}  // namespace contra4::io
