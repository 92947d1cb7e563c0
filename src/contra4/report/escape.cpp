#include "contra4/report/escape.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include <fmt/format.h>
#include <utf8proc.h>

namespace contra4::report {

namespace {

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";

struct Character {
  std::int32_t code = 0xFFFD;
  std::string_view bytes = kReplacement;
};

// Takes the first character off `text`; what is no UTF-8 goes byte by byte.
Character take_character(std::string_view& text) {
  Character character;
  utf8proc_int32_t code = -1;
  const auto length = utf8proc_iterate(reinterpret_cast<const utf8proc_uint8_t*>(text.data()),
                                       static_cast<utf8proc_ssize_t>(text.size()), &code);
  if (length > 0) character = {code, text.substr(0, static_cast<std::size_t>(length))};
  text.remove_prefix(length > 0 ? static_cast<std::size_t>(length) : 1);
  return character;
}

bool is_control(std::int32_t code) {
  return code < 0x20 || (code >= 0x7F && code < 0xA0);
}

bool is_line_break(std::int32_t code) {
  return code == '\n' || code == '\r' || code == 0x85 || code == 0x2028 || code == 0x2029;
}

// Line breaks as one space each, "\r\n" too; other control characters as U+FFFD.
std::string on_one_line(std::string_view text) {
  std::string line;
  while (!text.empty()) {
    const bool is_pair = text.starts_with("\r\n");
    const Character character = take_character(text);
    if (is_pair) take_character(text);
    if (is_line_break(character.code) || character.code == '\t') {
      line += ' ';
    } else {
      line += is_control(character.code) ? kReplacement : character.bytes;
    }
  }
  return line;
}

std::size_t longest_run_of_backticks(std::string_view text) {
  std::size_t longest = 0;
  std::size_t run = 0;
  for (const char c : text) {
    run = c == '`' ? run + 1 : 0;
    longest = std::max(longest, run);
  }
  return longest;
}

bool is_punctuation(char c) {
  return (c >= '!' && c <= '/') || (c >= ':' && c <= '@') || (c >= '[' && c <= '`') ||
         (c >= '{' && c <= '~');
}

bool is_word(std::string_view line, std::size_t i) {
  return i < line.size() && line[i] != ' ' && !is_punctuation(line[i]);
}

// Whether Markdown would read the character at `i` as more than itself.
bool needs_backslash(std::string_view line, std::size_t i) {
  static constexpr std::string_view kAnywhere = "\\`*[]|~$";
  static constexpr std::string_view kAtTheStart = "#-+=:";
  const char c = line[i];
  if (kAnywhere.find(c) != std::string_view::npos) return true;
  // Between letters an underscore is one.
  if (c == '_') return i == 0 || !is_word(line, i - 1) || !is_word(line, i + 1);
  if (i == 0) return kAtTheStart.find(c) != std::string_view::npos;
  // "12. " and "12) " begin a list.
  return (c == '.' || c == ')') && line.find_first_not_of("0123456789") == i;
}

}  // namespace

std::string xml_text(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const Character character = take_character(text);
    const std::int32_t code = character.code;
    const bool is_forbidden = (code < 0x20 && code != '\t' && code != '\n' && code != '\r') ||
                              code >= 0x110000 || code == 0xFFFE || code == 0xFFFF ||
                              (code >= 0x7F && code < 0xA0 && code != 0x85);
    switch (code) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      case '\'':
        out += "&#39;";
        break;
      default:
        out += is_forbidden ? kReplacement : character.bytes;
    }
  }
  return out;
}

std::string markdown_text(std::string_view text) {
  std::string line = on_one_line(text);
  line.erase(0, line.find_first_not_of(' ') == std::string::npos ? line.size()
                                                                 : line.find_first_not_of(' '));
  std::string out;
  for (std::size_t i = 0; i < line.size(); ++i) {
    const char c = line[i];
    if (c == '&') {
      out += "&amp;";
    } else if (c == '<') {
      out += "&lt;";
    } else if (c == '>') {
      out += "&gt;";
    } else {
      if (needs_backslash(line, i)) out += '\\';
      out += c;
    }
  }
  return out;
}

std::string markdown_code(std::string_view text) {
  const std::string line = on_one_line(text);
  if (line.find_first_not_of(' ') != std::string::npos &&
      line.find_first_of("`|") == std::string::npos) {
    return "`" + line + "`";
  }
  // Backticks need longer fences, and a bar would end a cell: as an element it fits everywhere.
  static constexpr std::string_view kSpecial = "&<>`|\\*_[]~$";
  std::string code;
  for (const char c : line) {
    if (kSpecial.find(c) != std::string_view::npos) {
      code += fmt::format("&#{};", static_cast<int>(c));
    } else {
      code += c;
    }
  }
  return "<code>" + code + "</code>";
}

std::string markdown_block(std::string_view language, std::string_view text) {
  std::string safe;
  for (std::string_view rest = text; !rest.empty();) safe += take_character(rest).bytes;
  const std::string fence(std::max<std::size_t>(3, longest_run_of_backticks(safe) + 1), '`');
  return fmt::format("{}{}\n{}{}{}\n", fence, language, safe,
                     safe.empty() || safe.ends_with('\n') ? "" : "\n", fence);
}

std::string yaml_text(std::string_view text) {
  std::string out = "\"";
  while (!text.empty()) {
    const Character character = take_character(text);
    const std::int32_t code = character.code;
    if (code == '"' || code == '\\') {
      out += '\\';
      out += static_cast<char>(code);
    } else if (code == '\n') {
      out += "\\n";
    } else if (code == '\t') {
      out += "\\t";
    } else if (is_control(code) || is_line_break(code) || code == 0xFEFF || code == 0xFFFE ||
               code == 0xFFFF) {
      out += fmt::format("\\u{:04X}", code);
    } else {
      out += character.bytes;
    }
  }
  return out + "\"";
}

}  // namespace contra4::report
