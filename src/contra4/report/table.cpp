#include "contra4/report/table.h"

#include <algorithm>
#include <array>
#include <span>
#include <utility>

#include <fmt/format.h>
#include <utf8proc.h>

#include "contra4/base/error.h"

namespace contra4::report {

namespace {

constexpr std::size_t kMaxLeftWidth = 60;
constexpr std::string_view kBold = "\x1b[1m";
constexpr std::string_view kDim = "\x1b[2m";
constexpr std::string_view kReset = "\x1b[0m";

// The next code point of `text` and its bytes; U+FFFD and one byte where they are no UTF-8.
struct CodePoint {
  utf8proc_int32_t value = 0xFFFD;
  std::size_t bytes = 1;
};

CodePoint first_code_point(std::string_view text) {
  CodePoint point;
  utf8proc_int32_t value = -1;
  const auto bytes = utf8proc_iterate(reinterpret_cast<const utf8proc_uint8_t*>(text.data()),
                                      static_cast<utf8proc_ssize_t>(text.size()), &value);
  if (bytes > 0) point = {value, static_cast<std::size_t>(bytes)};
  return point;
}

bool is_control(utf8proc_int32_t value) {
  const auto category = utf8proc_category(value);
  return category == UTF8PROC_CATEGORY_CC || category == UTF8PROC_CATEGORY_ZL ||
         category == UTF8PROC_CATEGORY_ZP || (value >= 0x202A && value <= 0x202E) ||
         (value >= 0x2066 && value <= 0x2069);
}

std::string for_terminal(std::string_view text) {
  std::string safe;
  while (!text.empty()) {
    const CodePoint point = first_code_point(text);
    if (is_control(point.value) || (point.value == 0xFFFD && point.bytes == 1)) {
      safe += '?';
    } else {
      safe += text.substr(0, point.bytes);
    }
    text.remove_prefix(point.bytes);
  }
  return safe;
}

std::string cut_to(const std::string& text, std::size_t width) {
  if (display_width(text) <= width) return text;
  std::string kept;
  std::size_t used = 0;
  for (std::string_view rest = text; !rest.empty();) {
    const CodePoint point = first_code_point(rest);
    const std::size_t columns = display_width(rest.substr(0, point.bytes));
    if (used + columns > width - 1) break;
    used += columns;
    kept += rest.substr(0, point.bytes);
    rest.remove_prefix(point.bytes);
  }
  return kept + "\u2026";
}

// Bytes from the decimal point on; all of them ASCII in the numbers we write.
std::size_t fraction_width(std::string_view cell) {
  const std::size_t point = cell.find('.');
  return point == std::string_view::npos ? 0 : display_width(cell.substr(point));
}

std::string padded(const std::string& cell, std::size_t width, Align align) {
  const std::string space(width - std::min(width, display_width(cell)), ' ');
  return align == Align::kLeft ? cell + space : space + cell;
}

void append_line(std::string& out, std::string line, std::string_view style) {
  while (!line.empty() && line.back() == ' ') line.pop_back();
  if (style.empty() || line.empty()) {
    out += line;
  } else {
    out += style;
    out += line;
    out += kReset;
  }
  out += '\n';
}

std::string replaced(std::string_view text,
                     std::span<const std::pair<std::string_view, std::string_view>> pairs) {
  std::string result;
  while (!text.empty()) {
    const auto pair = std::find_if(pairs.begin(), pairs.end(),
                                   [&](const auto& p) { return text.starts_with(p.first); });
    if (pair == pairs.end()) {
      result += text.front();
      text.remove_prefix(1);
    } else {
      result += pair->second;
      text.remove_prefix(pair->first.size());
    }
  }
  return result;
}

std::string for_markdown(std::string_view text) {
  static constexpr std::array<std::pair<std::string_view, std::string_view>, 8> kPairs = {
      {{"|", "\\|"},
       {"\\", "\\\\"},
       {"\r\n", " "},
       {"\n", " "},
       {"\r", " "},
       {"<", "&lt;"},
       {"*", "\\*"},
       {"_", "\\_"}}};
  return replaced(text, kPairs);
}

std::string for_latex(std::string_view text) {
  static constexpr std::array<std::pair<std::string_view, std::string_view>, 21> kPairs = {
      {{"\\", "\\textbackslash{}"},
       {"{", "\\{"},
       {"}", "\\}"},
       {"$", "\\$"},
       {"&", "\\&"},
       {"#", "\\#"},
       {"%", "\\%"},
       {"_", "\\_"},
       {"^", "\\textasciicircum{}"},
       {"~", "\\textasciitilde{}"},
       {"<", "\\textless{}"},
       {">", "\\textgreater{}"},
       {"|", "\\textbar{}"},
       {"\"", "\\textquotedbl{}"},
       {"\r", " "},
       {"\n", " "},
       {"\u2013", "--"},
       {"\u2014", "---"},
       {"\u2212", "$-$"},
       {"\u00b1", "$\\pm$"},
       {"\u2026", "\\ldots{}"}}};
  // A minus before a digit, where no word or number ends.
  std::string signs;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool is_minus = text[i] == '-' && i + 1 < text.size() && text[i + 1] >= '0' &&
                          text[i + 1] <= '9' &&
                          (i == 0 || text[i - 1] == ' ' || text[i - 1] == '[');
    signs += is_minus ? "\u2212" : std::string(1, text[i]);
  }
  return replaced(signs, kPairs);
}

std::string for_csv(std::string_view text) {
  if (text.find_first_of(",\"\r\n") == std::string_view::npos) return std::string(text);
  std::string quoted = "\"";
  for (const char c : text) {
    if (c == '"') quoted += '"';
    quoted += c;
  }
  return quoted + '"';
}

void check(const Table& table) {
  for (const Row& row : table.rows) {
    CONTRA4_CHECK(row.cells.size() == table.columns.size(),
                  "a row with a cell too few or too many");
  }
}

}  // namespace

std::size_t display_width(std::string_view text) {
  std::size_t width = 0;
  while (!text.empty()) {
    const CodePoint point = first_code_point(text);
    width += static_cast<std::size_t>(std::max(0, utf8proc_charwidth(point.value)));
    text.remove_prefix(point.bytes);
  }
  return width;
}

std::string to_terminal(const Table& table, bool use_color) {
  check(table);
  const std::size_t num_columns = table.columns.size();
  // Cells as shown, the fractions of kPoint columns padded to the same width.
  std::vector<std::vector<std::string>> cells;
  for (const Row& row : table.rows) {
    std::vector<std::string>& shown = cells.emplace_back();
    for (std::size_t i = 0; i < num_columns; ++i) {
      std::string cell = for_terminal(row.cells[i]);
      if (table.columns[i].align == Align::kLeft) cell = cut_to(cell, kMaxLeftWidth);
      shown.push_back(std::move(cell));
    }
  }
  std::vector<std::size_t> widths;
  for (std::size_t i = 0; i < num_columns; ++i) {
    if (table.columns[i].align == Align::kPoint) {
      std::size_t fraction = 0;
      for (const auto& row : cells) fraction = std::max(fraction, fraction_width(row[i]));
      for (auto& row : cells) row[i].append(fraction - fraction_width(row[i]), ' ');
    }
    std::size_t width = display_width(table.columns[i].title);
    for (const auto& row : cells) width = std::max(width, display_width(row[i]));
    widths.push_back(width);
  }
  std::string rule;
  for (std::size_t i = 0; i < num_columns; ++i) {
    if (i > 0) rule += "  ";
    for (std::size_t column = 0; column < widths[i]; ++column) rule += "\u2500";
  }
  std::string out;
  if (!table.caption.empty()) append_line(out, for_terminal(table.caption), {});
  std::string header;
  for (std::size_t i = 0; i < num_columns; ++i) {
    if (i > 0) header += "  ";
    header += padded(table.columns[i].title, widths[i], table.columns[i].align);
  }
  append_line(out, header, use_color ? kBold : std::string_view());
  append_line(out, rule, {});
  for (std::size_t r = 0; r < table.rows.size(); ++r) {
    if (table.rows[r].rule_before) append_line(out, rule, {});
    std::string line;
    for (std::size_t i = 0; i < num_columns; ++i) {
      if (i > 0) line += "  ";
      line += padded(cells[r][i], widths[i], table.columns[i].align);
    }
    const bool is_dim = use_color && table.rows[r].kind == RowKind::kReference;
    append_line(out, line, is_dim ? kDim : std::string_view());
  }
  for (const std::string& note : table.notes) append_line(out, for_terminal(note), {});
  return out;
}

std::string to_markdown(const Table& table) {
  check(table);
  std::string out;
  if (!table.caption.empty()) out += for_markdown(table.caption) + "\n\n";
  out += "|";
  for (const Column& column : table.columns) out += " " + for_markdown(column.title) + " |";
  out += "\n|";
  for (const Column& column : table.columns) out += column.align == Align::kLeft ? "---|" : "---:|";
  out += "\n";
  for (const Row& row : table.rows) {
    out += "|";
    for (std::size_t i = 0; i < row.cells.size(); ++i) {
      std::string cell = for_markdown(row.cells[i]);
      if (i == 0 && row.kind == RowKind::kReference && !cell.empty()) {
        cell = fmt::format("*{}*", cell);
      }
      out += " " + cell + " |";
    }
    out += "\n";
  }
  for (const std::string& note : table.notes) out += "\n" + for_markdown(note) + "\n";
  return out;
}

std::string to_latex(const Table& table) {
  check(table);
  std::string out = "% needs \\usepackage{booktabs}\n\\begin{table}\n\\centering\n";
  if (!table.caption.empty()) out += "\\caption{" + for_latex(table.caption) + "}\n";
  if (!table.label.empty()) out += "\\label{" + table.label + "}\n";
  out += "\\begin{tabular}{";
  for (const Column& column : table.columns) out += column.align == Align::kLeft ? 'l' : 'r';
  out += "}\n\\toprule\n";
  for (std::size_t i = 0; i < table.columns.size(); ++i) {
    out += (i > 0 ? " & " : "") + for_latex(table.columns[i].title);
  }
  out += " \\\\\n\\midrule\n";
  for (const Row& row : table.rows) {
    if (row.rule_before) out += "\\midrule\n";
    for (std::size_t i = 0; i < row.cells.size(); ++i) {
      std::string cell = for_latex(row.cells[i]);
      if (i == 0 && row.kind == RowKind::kReference) cell = fmt::format("\\textit{{{}}}", cell);
      // A bracket after a line's end would be read as the option of \\.
      if (i == 0 && cell.starts_with('[')) cell.insert(0, "{}");
      out += (i > 0 ? " & " : "") + cell;
    }
    out += " \\\\\n";
  }
  out += "\\bottomrule\n\\end{tabular}\n";
  for (const std::string& note : table.notes) {
    out += "\\par\\smallskip{\\footnotesize " + for_latex(note) + "}\n";
  }
  return out + "\\end{table}\n";
}

std::string to_csv(const Table& table) {
  check(table);
  std::string out;
  for (std::size_t i = 0; i < table.columns.size(); ++i) {
    out += (i > 0 ? "," : "") + for_csv(table.columns[i].title);
  }
  out += "\r\n";
  for (const Row& row : table.rows) {
    for (std::size_t i = 0; i < row.cells.size(); ++i) {
      out += (i > 0 ? "," : "") + for_csv(row.cells[i]);
    }
    out += "\r\n";
  }
  return out;
}

}  // namespace contra4::report
