// Bytes without pattern that any language makes alike: the references of these tests were computed
// from them with the published libraries.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "contra4/media/picture.h"

namespace contra4::features {

// s = 1664525 s + 1013904223 modulo 2^32 from s = 1; the upper 8 bits of each.
inline std::vector<std::uint8_t> noise_bytes(std::size_t count) {
  std::vector<std::uint8_t> bytes(count);
  std::uint32_t state = 1;
  for (std::uint8_t& byte : bytes) {
    state = state * 1664525U + 1013904223U;
    byte = static_cast<std::uint8_t>(state >> 24U);
  }
  return bytes;
}

inline media::Picture noise_picture(int width, int height) {
  return {
      .width = width,
      .height = height,
      .rgb = noise_bytes(static_cast<std::size_t>(width) * static_cast<std::size_t>(height) * 3)};
}

// (byte - 128) / 128
inline std::vector<float> noise_samples(std::size_t count) {
  std::vector<float> samples;
  for (const std::uint8_t byte : noise_bytes(count)) {
    samples.push_back((static_cast<float>(byte) - 128) / 128);
  }
  return samples;
}

}  // namespace contra4::features
