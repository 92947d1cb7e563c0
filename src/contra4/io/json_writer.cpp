#include "contra4/io/json_writer.h"

#include <array>
#include <charconv>
#include <cmath>
#include <utility>

#include "contra4/base/error.h"
#include "contra4/io/json.h"

namespace contra4::io {

namespace {

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";

// Length of the valid UTF-8 sequence at the start of `text`, or 0.
std::size_t utf8_length(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const auto is_continuation = [&](std::size_t i) {
    return i < text.size() && (byte(i) & 0xC0) == 0x80;
  };
  const unsigned char first = byte(0);
  if (first < 0x80) return 1;
  if (first >= 0xC2 && first <= 0xDF) return is_continuation(1) ? 2 : 0;
  if (first >= 0xE0 && first <= 0xEF) {
    if (!is_continuation(1) || !is_continuation(2)) return 0;
    if (first == 0xE0 && byte(1) < 0xA0) return 0;  // overlong
    if (first == 0xED && byte(1) > 0x9F) return 0;  // surrogate
    return 3;
  }
  if (first >= 0xF0 && first <= 0xF4) {
    if (!is_continuation(1) || !is_continuation(2) || !is_continuation(3)) return 0;
    if (first == 0xF0 && byte(1) < 0x90) return 0;
    if (first == 0xF4 && byte(1) > 0x8F) return 0;
    return 4;
  }
  return 0;
}

template <class Number>
void append_number(std::string& out, Number number) {
  std::array<char, 32> digits{};
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), number).ptr;
  out.append(digits.data(), end);
}

}  // namespace

void append_json_quoted(std::string& out, std::string_view text) {
  static constexpr char kHex[] = "0123456789abcdef";
  out += '"';
  std::size_t plain = 0;  // start of the run not copied yet
  std::size_t i = 0;
  const auto flush = [&] { out.append(text, plain, i - plain); };
  while (i < text.size()) {
    const auto byte = static_cast<unsigned char>(text[i]);
    if (byte >= 0x20 && byte < 0x80 && byte != '"' && byte != '\\') {
      ++i;
      continue;
    }
    if (byte >= 0x80) {
      const std::size_t length = utf8_length(text.substr(i));
      if (length > 0) {
        i += length;
        continue;
      }
      flush();
      out += kReplacement;
    } else {
      flush();
      switch (byte) {
        case '"':
          out += "\\\"";
          break;
        case '\\':
          out += "\\\\";
          break;
        case '\n':
          out += "\\n";
          break;
        case '\r':
          out += "\\r";
          break;
        case '\t':
          out += "\\t";
          break;
        default:
          out += "\\u00";
          out += kHex[byte >> 4];
          out += kHex[byte & 15];
      }
    }
    plain = ++i;
  }
  flush();
  out += '"';
}

std::string json_quote(std::string_view text) {
  std::string quoted;
  quoted.reserve(text.size() + 2);
  append_json_quoted(quoted, text);
  return quoted;
}

void JsonWriter::newline() {
  if (indent_ == 0) return;
  text_ += '\n';
  text_.append(levels_.size() * static_cast<std::size_t>(indent_), ' ');
}

void JsonWriter::before_value() {
  if (after_key_) {
    after_key_ = false;
    return;
  }
  if (levels_.empty()) return;
  if (!levels_.back().is_first) text_ += indent_ == 0 ? ", " : ",";
  levels_.back().is_first = false;
  newline();
}

void JsonWriter::open(char bracket) {
  before_value();
  text_ += bracket;
  levels_.emplace_back();
}

void JsonWriter::close(char bracket) {
  CONTRA4_CHECK(!levels_.empty() && !after_key_, "unbalanced JSON");
  const bool is_empty = levels_.back().is_first;
  levels_.pop_back();
  if (!is_empty) newline();
  text_ += bracket;
}

JsonWriter& JsonWriter::begin_object() {
  return open('{'), *this;
}
JsonWriter& JsonWriter::end_object() {
  return close('}'), *this;
}
JsonWriter& JsonWriter::begin_array() {
  return open('['), *this;
}
JsonWriter& JsonWriter::end_array() {
  return close(']'), *this;
}

JsonWriter& JsonWriter::key(std::string_view name) {
  before_value();
  append_json_quoted(text_, name);
  text_ += ": ";
  after_key_ = true;
  return *this;
}

JsonWriter& JsonWriter::value(std::string_view text) {
  before_value();
  append_json_quoted(text_, text);
  return *this;
}

JsonWriter& JsonWriter::value(bool flag) {
  return raw(flag ? "true" : "false");
}

JsonWriter& JsonWriter::value(double number) {
  if (!std::isfinite(number)) return null();
  before_value();
  append_number(text_, number);
  return *this;
}

JsonWriter& JsonWriter::signed_value(std::int64_t number) {
  before_value();
  append_number(text_, number);
  return *this;
}

JsonWriter& JsonWriter::unsigned_value(std::uint64_t number) {
  before_value();
  append_number(text_, number);
  return *this;
}

JsonWriter& JsonWriter::null() {
  return raw("null");
}

JsonWriter& JsonWriter::raw(std::string_view json) {
  before_value();
  text_ += json;
  return *this;
}

JsonWriter& JsonWriter::value(const JsonValue& tree) {
  if (const auto* object = tree.find_object()) {
    begin_object();
    for (const auto& [name, child] : *object) key(name).value(child);
    return end_object();
  }
  if (const auto* array = tree.find_array()) {
    begin_array();
    for (const JsonValue& child : *array) value(child);
    return end_array();
  }
  if (const auto* text = tree.find_string()) return value(std::string_view(*text));
  if (const auto flag = tree.find_bool()) return value(*flag);
  if (const auto integer = tree.find_integer()) return signed_value(*integer);
  if (const auto number = tree.find_number()) return value(*number);
  return null();
}

std::string JsonWriter::take() {
  return std::exchange(text_, {});
}

}  // namespace contra4::io
