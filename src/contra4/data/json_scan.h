// Finds where a JSON value ends without reading what is in it: records are cut out of a stream this
// way before simdjson reads each. Knows strings, escapes and nesting, nothing else; what is inside
// may be wrong.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace contra4::data {

inline constexpr std::string_view kJsonSpace = " \t\r\n";

inline bool is_json_space(char c) {
  return c == ' ' || c == '\n' || c == '\r' || c == '\t';
}

// A value that arrives in pieces. Starts at the value's first byte.
class JsonValueScanner {
 public:
  // `first` begins the value: a bracket, a quote, or a byte of a bare word.
  explicit JsonValueScanner(char first);

  // How many of `bytes` belong to the value; all of them when it does not end here. Of a container
  // only brackets of its own kind count, so that `{"a": [}` ends where a reader would say.
  std::size_t scan(std::string_view bytes);
  bool is_done() const { return is_done_; }
  // True for a bare word (number, true, garbage): it ends before the first byte that is not its
  // own, or with the file.
  bool is_bare_word() const { return kind_ == Kind::kWord; }

 private:
  enum class Kind { kContainer, kString, kWord };
  std::size_t scan_container(std::string_view bytes);
  // 64 bytes; the index just behind the closing bracket, or 0 when it is not among them.
  unsigned scan_block(const char* block);
  std::size_t scan_string(std::string_view bytes);
  std::size_t scan_word(std::string_view bytes);

  Kind kind_;
  char open_ = 0;
  char close_ = 0;
  std::uint64_t depth_ = 0;
  bool in_string_ = false;
  bool is_escaped_ = false;  // the next byte follows a backslash that is not itself escaped
  bool is_done_ = false;
};

// Walks the members of an object or the elements of an array whose text is known to be valid JSON,
// in the order of the text, each as it stands there.
class JsonSlices {
 public:
  explicit JsonSlices(std::string_view container);
  // The next member's value or the next element. Call it at most as often as there are any.
  std::string_view next();

 private:
  void skip_space();
  std::string_view take_value();
  std::string_view rest_;
  bool is_object_;
};

}  // namespace contra4::data
