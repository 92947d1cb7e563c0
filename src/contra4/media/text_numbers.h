// Words and numbers of text files with points.
#pragma once

#include <charconv>
#include <cmath>
#include <limits>
#include <optional>
#include <string_view>

namespace contra4::media {

// The next word of `text`, which loses it; empty at the end. A backslash is a blank: obj joins
// lines by it.
inline std::string_view take_word(std::string_view& text) {
  constexpr std::string_view kBlanks = " \t\r\n\v\f\\";
  const std::size_t begin = text.find_first_not_of(kBlanks);
  if (begin == std::string_view::npos) {
    text = {};
    return {};
  }
  text.remove_prefix(begin);
  const std::string_view word = text.substr(0, text.find_first_of(kBlanks));
  text.remove_prefix(word.size());
  return word;
}

// A whole word as a number; infinite beyond the range of a double, 0 below it. Also "nan" and
// "inf": that those are no coordinates is for the caller to say.
inline std::optional<double> parse_number(std::string_view word) {
  if (word.starts_with('+')) word.remove_prefix(1);
  double value = 0;
  const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), value);
  if (word.empty() || end != word.data() + word.size()) return std::nullopt;
  if (error == std::errc::result_out_of_range) {
    const std::string_view digits = word.substr(word.starts_with('-') ? 1 : 0);
    const std::size_t exponent = word.find_first_of("eE");
    const bool is_small = exponent == std::string_view::npos
                              ? digits.starts_with('0') || digits.starts_with('.')
                              : word.substr(exponent + 1).starts_with('-');
    return is_small ? 0 : std::numeric_limits<double>::infinity();
  }
  if (error != std::errc()) return std::nullopt;
  return value;
}

}  // namespace contra4::media
