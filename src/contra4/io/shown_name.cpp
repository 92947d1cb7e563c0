#include "contra4/io/shown_name.h"

#include <algorithm>
#include <cstddef>

namespace contra4::io {

std::string shown_name(std::string_view name) {
  constexpr std::size_t kMaxShown = 120;
  std::string shown(name.substr(0, kMaxShown));
  std::replace_if(
      shown.begin(), shown.end(),
      [](char c) { return (static_cast<unsigned char>(c) < 0x20) || c == '\x7f'; }, '?');
  return name.size() > kMaxShown ? shown + "..." : shown;
}

}  // namespace contra4::io
