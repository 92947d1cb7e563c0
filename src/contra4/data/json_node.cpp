#include "contra4/data/json_node.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "contra4/data/record_reader.h"

namespace contra4::data {

static_assert(kRecordPadding >= simdjson::SIMDJSON_PADDING);

using simdjson::dom::element_type;

void reject(std::string reason) {
  throw Rejection{std::move(reason)};
}

std::string_view type_name(const Node& node) {
  switch (node.value.type()) {
    case element_type::ARRAY:
      return "a list";
    case element_type::OBJECT:
      return "an object";
    case element_type::STRING:
      return "a string";
    case element_type::BOOL:
      return "true or false";
    case element_type::NULL_VALUE:
      return "null";
    default:
      return "a number";
  }
}

std::string words(const Path& path) {
  return path.scene < 0 ? fmt::format("'{}'", path.member)
                        : fmt::format("'{}' of {}", path.member, scene_name(path.scene));
}

std::string_view text_of(const Node& node, const Path& path) {
  std::string_view text;
  if (node.value.get(text) != simdjson::SUCCESS) {
    reject(fmt::format("{} is {}, not a string", words(path), type_name(node)));
  }
  if (text.find('\0') != std::string_view::npos) {
    reject(fmt::format("{} holds a NUL character", words(path)));
  }
  return text;
}

simdjson::dom::array list_of(const Node& node, const Path& path) {
  simdjson::dom::array list;
  if (node.value.get(list) != simdjson::SUCCESS) {
    reject(fmt::format("{} is {}, not a list", words(path), type_name(node)));
  }
  return list;
}

bool flag_of(const Node& node, const Path& path) {
  bool flag = false;
  if (node.value.get(flag) != simdjson::SUCCESS) {
    reject(fmt::format("{} is {}, not true or false", words(path), type_name(node)));
  }
  return flag;
}

RecordId id_of(const Node& node, const Path& path) {
  switch (node.value.type()) {
    case element_type::STRING: {
      const std::string_view text = text_of(node, path);
      if (text.empty()) reject(fmt::format("{} is empty", words(path)));
      return {std::string(text), false};
    }
    case element_type::INT64:
    case element_type::UINT64:
      // The text where there is one: simdjson may have read a stand-in, see blank_big_integers.
      if (!node.raw.empty()) return {std::string(node.raw), true};
      return {simdjson::minify(node.value), true};
    default:
      reject(fmt::format("{} is {}, not a string or an integer", words(path),
                         node.value.is_double() ? "a fractional number" : type_name(node)));
  }
}

void mark_as_integer(RecordId& id, const Path& path) {
  std::string_view digits = id.text;
  if (digits.starts_with('-')) digits.remove_prefix(1);
  if (digits.empty() || digits.find_first_not_of("0123456789") != std::string_view::npos ||
      (digits.size() > 1 && digits.front() == '0')) {
    reject(fmt::format("{} is marked as an integer, but is '{:.40}'", words(path), id.text));
  }
  id.is_integer = true;
}

std::string compact(std::string_view raw) {
  if (raw.front() != '{' && raw.front() != '[') return std::string(raw);
  std::string text(raw.size() + kRecordPadding, '\0');
  std::size_t size = 0;
  if (simdjson::minify(raw.data(), raw.size(), text.data(), size) != simdjson::SUCCESS) {
    return std::string(raw);
  }
  text.resize(size);
  return text;
}

bool blank_big_integers(std::string& text) {
  bool has_changed = false;
  bool in_string = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (in_string) {
      if (c == '\\') {
        ++i;
      } else if (c == '"') {
        in_string = false;
      }
      continue;
    }
    if (c == '"') in_string = true;
    if (c < '1' || c > '9') {
      // A number that begins with zero is either short or not valid: skip its digits.
      if (c == '0') i = std::min(text.find_first_not_of("0123456789", i), text.size()) - 1;
      continue;
    }
    const std::size_t end = std::min(text.find_first_not_of("0123456789", i), text.size());
    const bool is_integer =
        end == text.size() || std::string_view(".eE").find(text[end]) == std::string_view::npos;
    const bool is_fraction = i > 0 && (text[i - 1] == '.' || text[i - 1] == 'e' ||
                                       text[i - 1] == 'E' || text[i - 1] == '+');
    constexpr std::size_t kSafeDigits = 18;
    if (is_integer && !is_fraction && end - i > kSafeDigits) {
      text[i] = '0';
      std::fill(text.begin() + static_cast<std::ptrdiff_t>(i) + 1,
                text.begin() + static_cast<std::ptrdiff_t>(end), ' ');
      has_changed = true;
    }
    i = end - 1;
  }
  return has_changed;
}

}  // namespace contra4::data
