// An id as it stood in the file: an integer stays an integer, leading zeros survive.
#pragma once

#include <compare>
#include <functional>
#include <string>

namespace contra4 {

struct RecordId {
  std::string text;         // digits as written for an integer
  bool is_integer = false;  // JSON type only: not part of the identity

  friend bool operator==(const RecordId& a, const RecordId& b) { return a.text == b.text; }
  friend std::strong_ordering operator<=>(const RecordId& a, const RecordId& b) {
    return a.text <=> b.text;
  }
};

}  // namespace contra4

template <>
struct std::hash<contra4::RecordId> {
  std::size_t operator()(const contra4::RecordId& id) const noexcept {
    return std::hash<std::string>{}(id.text);
  }
};
