// The one JSON writer: streaming, members in the order of the calls, numbers in their shortest form
// that reads back the same, invalid UTF-8 replaced by U+FFFD.
#pragma once

#include <concepts>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace contra4::io {

class JsonValue;

class JsonWriter {
 public:
  // indent 0: one line, ", " and ": " between (as Python's json.dumps); otherwise spaces per level.
  explicit JsonWriter(int indent = 0) : indent_(indent) {}

  JsonWriter& begin_object();
  JsonWriter& end_object();
  JsonWriter& begin_array();
  JsonWriter& end_array();
  JsonWriter& key(std::string_view name);

  JsonWriter& value(std::string_view text);
  JsonWriter& value(const char* text) { return value(std::string_view(text)); }
  JsonWriter& value(const std::string& text) { return value(std::string_view(text)); }
  JsonWriter& value(bool flag);
  JsonWriter& value(double number);  // not finite: null
  JsonWriter& value(std::integral auto number) {
    if constexpr (std::unsigned_integral<decltype(number)>) {
      return unsigned_value(static_cast<std::uint64_t>(number));
    } else {
      return signed_value(static_cast<std::int64_t>(number));
    }
  }
  JsonWriter& value(const JsonValue& tree);
  JsonWriter& null();
  // A piece of valid JSON as it is.
  JsonWriter& raw(std::string_view json);

  template <class T>
  JsonWriter& member(std::string_view name, const T& content) {
    return key(name).value(content);
  }

  // What was written since the last take(); nested containers may still be open.
  const std::string& text() const { return text_; }
  std::string take();

 private:
  JsonWriter& signed_value(std::int64_t number);
  JsonWriter& unsigned_value(std::uint64_t number);
  void before_value();
  void newline();
  void open(char bracket);
  void close(char bracket);
  struct Level {
    bool is_first = true;
  };
  int indent_;
  bool after_key_ = false;
  std::vector<Level> levels_;
  std::string text_;
};

// A JSON string literal with its quotes.
std::string json_quote(std::string_view text);
// Appends the same to `out`.
void append_json_quoted(std::string& out, std::string_view text);

}  // namespace contra4::io
