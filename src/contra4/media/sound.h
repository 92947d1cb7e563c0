// A decoded sound.
#pragma once

#include <cstddef>
#include <vector>

namespace contra4::media {

struct Sound {
  int sample_rate_hz = 0;
  int num_channels = 0;
  std::vector<float>
      samples;  // [num_channels, num_frames], one channel behind the other, in [-1, 1]

  std::size_t num_frames() const {
    return num_channels == 0 ? 0 : samples.size() / static_cast<std::size_t>(num_channels);
  }
};

}  // namespace contra4::media
