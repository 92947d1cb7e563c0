#include "contra4/report/table.h"

#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "contra4/base/error.h"

namespace contra4::report {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

Table small_table() {
  Table table;
  table.caption = "A caption";
  table.label = "tab:x";
  table.columns = {{"name", Align::kLeft}, {"share", Align::kPoint}, {"n", Align::kRight}};
  table.rows.push_back({{"first", "67.1", "2,335"}, RowKind::kPlain, false});
  table.rows.push_back({{"second", "56", "7"}, RowKind::kReference, true});
  table.notes = {"A note."};
  return table;
}

TEST(Table, TerminalAlignsNamesPointsAndCounts) {
  EXPECT_EQ(to_terminal(small_table()),
            "A caption\n"
            "name    share      n\n"
            "\u2500\u2500\u2500\u2500\u2500\u2500  \u2500\u2500\u2500\u2500\u2500  "
            "\u2500\u2500\u2500\u2500\u2500\n"
            "first    67.1  2,335\n"
            "\u2500\u2500\u2500\u2500\u2500\u2500  \u2500\u2500\u2500\u2500\u2500  "
            "\u2500\u2500\u2500\u2500\u2500\n"
            "second   56        7\n"
            "A note.\n");
}

TEST(Table, ColourOnlyWhenAsked) {
  EXPECT_THAT(to_terminal(small_table(), false), Not(HasSubstr("\x1b")));
  const std::string colored = to_terminal(small_table(), true);
  EXPECT_THAT(colored, HasSubstr("\x1b[1mname"));
  EXPECT_THAT(colored, HasSubstr("\x1b[2msecond"));
}

TEST(Table, WideAndCombiningCharactersKeepTheColumns) {
  EXPECT_EQ(display_width("abc"), 3U);
  EXPECT_EQ(display_width("\u6a21\u578b"), 4U);
  EXPECT_EQ(display_width("e\u0301"), 1U);
  Table table;
  table.columns = {{"m", Align::kLeft}, {"n", Align::kRight}};
  table.rows.push_back({{"\u6a21\u578b", "1"}, RowKind::kPlain, false});
  table.rows.push_back({{"abcd", "2"}, RowKind::kPlain, false});
  EXPECT_THAT(to_terminal(table), HasSubstr("\u6a21\u578b  1\nabcd  2\n"));
}

TEST(Table, NamesCannotWriteToTheTerminal) {
  Table table;
  table.columns = {{"m", Align::kLeft}};
  table.rows.push_back(
      {{std::string("a\x1b[31mb\nc\u202ed\xFF") + "\u009b"}, RowKind::kPlain, false});
  const std::string text = to_terminal(table);
  EXPECT_THAT(text, HasSubstr("a?[31mb?c?d??\n"));
}

TEST(Table, LongNamesAreCut) {
  Table table;
  table.columns = {{"m", Align::kLeft}};
  table.rows.push_back({{std::string(200, 'x')}, RowKind::kPlain, false});
  EXPECT_THAT(to_terminal(table), HasSubstr("\n" + std::string(59, 'x') + "\u2026\n"));
  EXPECT_THAT(to_csv(table), HasSubstr(std::string(200, 'x')));
}

TEST(Table, Markdown) {
  EXPECT_EQ(to_markdown(small_table()),
            "A caption\n\n"
            "| name | share | n |\n"
            "|---|---:|---:|\n"
            "| first | 67.1 | 2,335 |\n"
            "| *second* | 56 | 7 |\n"
            "\nA note.\n");
}

TEST(Table, MarkdownCellsStayInTheirCell) {
  Table table;
  table.columns = {{"a|b", Align::kLeft}};
  table.rows.push_back({{"x|y\nz <img> *_\\"}, RowKind::kPlain, false});
  EXPECT_EQ(to_markdown(table), "| a\\|b |\n|---|\n| x\\|y z &lt;img> \\*\\_\\\\ |\n");
}

TEST(Table, Latex) {
  EXPECT_EQ(to_latex(small_table()),
            "% needs \\usepackage{booktabs}\n\\begin{table}\n\\centering\n\\caption{A caption}\n"
            "\\label{tab:x}\n\\begin{tabular}{lrr}\n\\toprule\nname & share & n \\\\\n\\midrule\n"
            "first & 67.1 & 2,335 \\\\\n\\midrule\n\\textit{second} & 56 & 7 \\\\\n\\bottomrule\n"
            "\\end{tabular}\n\\par\\smallskip{\\footnotesize A note.}\n\\end{table}\n");
}

TEST(Table, LatexInterpretsNothingOfACell) {
  Table table;
  table.columns = {{"m", Align::kLeft}};
  table.rows.push_back({{"[a] \\input{x} 5% & $b_1^2$ #~ <\u2013\u2212>"}, RowKind::kPlain, false});
  EXPECT_THAT(
      to_latex(table),
      HasSubstr("{}[a] \\textbackslash{}input\\{x\\} 5\\% \\& \\$b\\_1\\textasciicircum{}2\\$ "
                "\\#\\textasciitilde{} \\textless{}--$-$\\textgreater{} \\\\"));
}

TEST(Table, LatexMinusIsAMinusAndAHyphenIsNot) {
  Table table;
  table.columns = {{"m", Align::kLeft}};
  table.rows.push_back({{"-19.2 [-21.9, -16.4] gpt-4 x-y -"}, RowKind::kPlain, false});
  EXPECT_THAT(to_latex(table), HasSubstr("$-$19.2 [$-$21.9, $-$16.4] gpt-4 x-y -"));
}

TEST(Table, CsvQuotesWhatNeedsIt) {
  Table table;
  table.columns = {{"a", Align::kLeft}, {"b", Align::kRight}};
  table.rows.push_back({{"x,\"y\"\nz", "1"}, RowKind::kPlain, false});
  table.rows.push_back({{"plain", ""}, RowKind::kPlain, false});
  EXPECT_EQ(to_csv(table), "a,b\r\n\"x,\"\"y\"\"\nz\",1\r\nplain,\r\n");
}

TEST(Table, RowOfAnotherLengthIsOurBug) {
  Table table;
  table.columns = {{"a", Align::kLeft}};
  table.rows.push_back({{"x", "y"}, RowKind::kPlain, false});
  EXPECT_THROW(to_terminal(table), Exception);
  EXPECT_THROW(to_csv(table), Exception);
}

TEST(Table, WithoutRowsIsAHeader) {
  Table table;
  table.columns = {{"a", Align::kLeft}};
  EXPECT_EQ(to_terminal(table), "a\n\u2500\n");
  EXPECT_EQ(to_csv(table), "a\r\n");
}

}  // namespace
}  // namespace contra4::report
