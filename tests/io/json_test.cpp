#include "contra4/io/json.h"

#include <gtest/gtest.h>

#include "contra4/io/file.h"
#include "tests/support/test_env.h"

namespace contra4::io {
namespace {

TEST(Json, ReadsEveryKindOfValue) {
  const JsonValue value =
      parse_json(R"({"a": [1, -2.5, "t\u00e9xt", true, null], "b": {}})", "test").value();
  EXPECT_EQ(value.find_path("a", 0)->find_integer(), 1);
  EXPECT_EQ(value.find_path("a", 1)->find_number(), -2.5);
  EXPECT_EQ(*value.find_path("a", 2)->find_string(), "t\xC3\xA9xt");
  EXPECT_EQ(value.find_path("a", 3)->find_bool(), true);
  EXPECT_TRUE(value.find_path("a", 4)->is_null());
  EXPECT_TRUE(value.find("b")->is_object());
}

TEST(Json, MissingStepsOfAPathAreNull) {
  const JsonValue value = parse_json(R"({"choices": []})", "test").value();
  EXPECT_EQ(value.find_path("choices", 0, "message", "content"), nullptr);
  EXPECT_EQ(value.find_path("nothing", "here"), nullptr);
  EXPECT_EQ(value.find_path("choices", "not an object"), nullptr);
}

TEST(Json, BadTextIsDataLossNamingTheText) {
  for (const char* text : {"", "{", "{\"a\": }", "[1,]", "nul", "\"\xff\"", "{} {}"}) {
    const auto result = parse_json(text, "the reply");
    ASSERT_FALSE(result) << text;
    EXPECT_EQ(result.error().code, ErrorCode::kDataLoss);
    EXPECT_EQ(result.error().message.find("the reply: "), 0U);
  }
}

TEST(Json, DeepNestingIsRefusedNotFollowed) {
  EXPECT_FALSE(parse_json(std::string(100000, '['), "deep"));
}

TEST(Json, IntegersBeyond64BitsAreNumbersNotErrors) {
  EXPECT_EQ(parse_json("18446744073709551615", "n").value().find_integer(), std::nullopt);
  EXPECT_NEAR(*parse_json("18446744073709551615", "n").value().find_number(), 1.8446744e19, 1e13);
}

TEST(Json, ReadsFiles) {
  const testing::TempDir folder;
  write_file_atomically(folder / "x.json", "[1]");
  EXPECT_EQ(read_json_file(folder / "x.json").find_path(0)->find_integer(), 1);
  EXPECT_THROW(read_json_file(folder / "absent.json"), Exception);
}

TEST(Json, LeavesHaveDottedNames) {
  const JsonValue value = parse_json(R"({"a": {"b": 1, "c": {}}, "d": [{"e": 2}]})", "x").value();
  std::string leaves;
  each_leaf(value, "s", [&](const std::string& name, const JsonValue& leaf) {
    leaves += name + "=" + compact_json(leaf) + ";";
  });
  EXPECT_EQ(leaves, R"(s.a.b=1;s.a.c={};s.d=[{"e": 2}];)");
}

TEST(Json, MembersAreLeftOutAtAnyDepth) {
  const JsonValue value =
      parse_json(R"({"a": 1, "b": {"a": 2, "c": [{"a": 3, "d": 4}]}})", "x").value();
  EXPECT_EQ(compact_json(without_members(value, [](std::string_view name) { return name == "a"; })),
            R"({"b": {"c": [{"d": 4}]}})");
}

}  // namespace
}  // namespace contra4::io
