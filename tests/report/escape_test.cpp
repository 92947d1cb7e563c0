#include "contra4/report/escape.h"

#include <string>

#include <gtest/gtest.h>

#include "contra4/io/yaml.h"

namespace contra4::report {
namespace {

TEST(Escape, XmlKeepsNothingThatEndsAnElement) {
  EXPECT_EQ(xml_text(R"(a<b> & "c" 'd')"), "a&lt;b&gt; &amp; &quot;c&quot; &#39;d&#39;");
  EXPECT_EQ(xml_text("\u00e9\u6a21\U0001F600"), "\u00e9\u6a21\U0001F600");
}

TEST(Escape, XmlReplacesWhatItForbids) {
  EXPECT_EQ(xml_text(std::string("a\0b\x1b\n", 5)), "a\uFFFDb\uFFFD\n");
  EXPECT_EQ(xml_text("a\xFF\xC3"), "a\uFFFD\uFFFD");
  EXPECT_EQ(xml_text("a\uFFFE"), "a\uFFFD");
}

TEST(Escape, MarkdownTextIsNoMarkup) {
  EXPECT_EQ(markdown_text("a *b* `c` [d](e) <f> | & ~g~ $h$"),
            "a \\*b\\* \\`c\\` \\[d\\](e) &lt;f&gt; \\| &amp; \\~g\\~ \\$h\\$");
  EXPECT_EQ(markdown_text("coco_val"), "coco_val");
  EXPECT_EQ(markdown_text("_a_ b_"), "\\_a\\_ b\\_");
}

TEST(Escape, MarkdownTextStaysOnItsLine) {
  EXPECT_EQ(markdown_text("a\nb\r\nc\u2028d\te"), "a b c d e");
  EXPECT_EQ(markdown_text("  # no heading"), "\\# no heading");
  EXPECT_EQ(markdown_text("- no list"), "\\- no list");
  EXPECT_EQ(markdown_text("12. no list"), "12\\. no list");
  EXPECT_EQ(markdown_text("version 1.5"), "version 1.5");
  EXPECT_EQ(markdown_text(""), "");
  EXPECT_EQ(markdown_text(" \n "), "");
  EXPECT_EQ(markdown_text("a\x1b[1m\xFF"), "a\uFFFD\\[1m\uFFFD");
}

TEST(Escape, MarkdownCodeFitsIntoACell) {
  EXPECT_EQ(markdown_code("a_b <c>"), "`a_b <c>`");
  EXPECT_EQ(markdown_code("a|b`c"), "<code>a&#124;b&#96;c</code>");
  EXPECT_EQ(markdown_code(""), "<code></code>");
  EXPECT_EQ(markdown_code("a\nb"), "`a b`");
}

TEST(Escape, MarkdownBlocksCannotBeClosedFromInside) {
  EXPECT_EQ(markdown_block("json", "{}"), "```json\n{}\n```\n");
  EXPECT_EQ(markdown_block("", "a\n````\nb\n"), "`````\na\n````\nb\n`````\n");
}

TEST(Escape, YamlTextReadsBackTheSame) {
  for (const std::string& text :
       {std::string("no"), std::string("1.0"), std::string("a: b # c"), std::string("- \"x\\y\""),
        std::string("{a: [b"), std::string("line\nbreak\ttab\r"), std::string("\u0085\u2028\u007f"),
        std::string("\uFEFFmark"), std::string("\u6a21 \U0001F600"), std::string(" spaces "),
        std::string()}) {
    const auto read = io::parse_yaml("v: " + yaml_text(text), "test");
    ASSERT_TRUE(read) << text;
    ASSERT_NE(read->find("v")->find_string(), nullptr) << text;
    EXPECT_EQ(*read->find("v")->find_string(), text);
  }
  EXPECT_EQ(yaml_text("a\xFF"), "\"a\uFFFD\"");
}

}  // namespace
}  // namespace contra4::report
