#include "contra4/io/yaml.h"

#include <gtest/gtest.h>

namespace contra4::io {
namespace {

TEST(Yaml, ScalarsHaveTheirTypes) {
  const JsonValue value =
      parse_yaml(
          "n: 3\nx: 0.5\nyes: true\nno: null\ns: text here\nq: \"3\"\nid: '007'\n"
          "list: [1, two]\n",
          "c.yaml")
          .value();
  EXPECT_EQ(value.find("n")->find_integer(), 3);
  EXPECT_EQ(value.find("x")->find_number(), 0.5);
  EXPECT_EQ(value.find("yes")->find_bool(), true);
  EXPECT_TRUE(value.find("no")->is_null());
  EXPECT_EQ(*value.find("s")->find_string(), "text here");
  EXPECT_EQ(*value.find("q")->find_string(), "3");
  EXPECT_EQ(*value.find("id")->find_string(), "007");
  EXPECT_EQ(*value.find_path("list", 1)->find_string(), "two");
}

TEST(Yaml, MistakesNameFileLineAndColumn) {
  const auto result = parse_yaml("a: 1\nb: [1, 2\n", "c.yaml");
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, ErrorCode::kInvalidArgument);
  EXPECT_EQ(result.error().message.find("c.yaml:"), 0U) << result.error().message;
}

TEST(Yaml, DeepNestingIsRefused) {
  EXPECT_FALSE(parse_yaml(std::string(200, '[') + std::string(200, ']'), "deep.yaml"));
}

}  // namespace
}  // namespace contra4::io
