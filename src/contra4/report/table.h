// A table as data, rendered for a terminal, for Markdown, LaTeX and CSV.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace contra4::report {

enum class Align {
  kLeft,
  kRight,
  kPoint,  // decimal points below each other on a terminal; right elsewhere
};

struct Column {
  std::string title;
  Align align = Align::kRight;
};

enum class RowKind {
  kPlain,
  kReference,  // from elsewhere: dimmed in a terminal, italic in Markdown and LaTeX
};

struct Row {
  std::vector<std::string> cells;
  RowKind kind = RowKind::kPlain;
  bool rule_before = false;  // a line between groups, where the format has one
};

struct Table {
  std::string caption;  // a sentence; empty: none
  std::string label;    // LaTeX label, "tab:leaderboard"; empty: none
  std::vector<Column> columns;
  std::vector<Row> rows;
  std::vector<std::string> notes;  // below the table
};

// Columns of `text` on a terminal: combining marks none, wide characters two.
std::size_t display_width(std::string_view text);

// Columns padded to the widest cell, two spaces between, a rule under the header; left columns are
// cut at 60. Control characters and marks that turn the direction of writing are shown as '?', so
// that a model's name cannot write to the terminal.
std::string to_terminal(const Table& table, bool use_color = false);
// GitHub's pipe tables; pipes and line breaks of cells are escaped.
std::string to_markdown(const Table& table);
// A `table` environment with booktabs rules; everything LaTeX would interpret is escaped.
std::string to_latex(const Table& table);
// RFC 4180 with a header line; caption and notes are left out.
std::string to_csv(const Table& table);

}  // namespace contra4::report
