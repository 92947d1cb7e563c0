// A decoded picture.
#pragma once

#include <cstdint>
#include <vector>

namespace contra4::media {

struct Picture {
  int width = 0;
  int height = 0;
  std::vector<std::uint8_t> rgb;  // [height, width, 3], 0 to 255
};

}  // namespace contra4::media
