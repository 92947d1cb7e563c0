// Any bytes as a sound: refused with a message, or all channels equally long, within the limit,
// beginning as the same file decoded only that far, and fit for another rate.
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "contra4/media/codecs/codecs.h"

namespace {

using contra4::media::Sound;

constexpr contra4::media::DecodeLimits kLimits = {.max_sound_s = 4, .max_seconds = 5};
constexpr double kKeptS = 0.05;

void require(bool holds) {
  if (!holds) std::abort();
}

void check_samples(const Sound& sound) {
  require(sound.sample_rate_hz > 0 && sound.num_channels > 0);
  require(sound.num_frames() > 0);
  require(sound.samples.size() ==
          sound.num_frames() * static_cast<std::size_t>(sound.num_channels));
  require(static_cast<double>(sound.num_frames()) <= kLimits.max_sound_s * sound.sample_rate_hz);
}

// Files of floats may hold any, also such as are no numbers.
bool is_same(float left, float right) {
  return left == right || (std::isnan(left) && std::isnan(right));
}

void check_start(const Sound& sound, const Sound& start) {
  require(start.sample_rate_hz == sound.sample_rate_hz && start.num_channels == sound.num_channels);
  require(start.num_frames() <= sound.num_frames() + 8192);  // a padded end is cut from the whole
  const std::size_t common = std::min(start.num_frames(), sound.num_frames());
  for (int c = 0; c < sound.num_channels; ++c) {
    const auto channel = static_cast<std::size_t>(c);
    for (std::size_t i = 0; i < common; ++i) {
      require(is_same(start.samples[channel * start.num_frames() + i],
                      sound.samples[channel * sound.num_frames() + i]));
    }
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  // NOLINTNEXTLINE(*-reinterpret-cast): bytes as libFuzzer gives them
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const auto& decoder = contra4::media::linked_decoder();
  const auto sound = decoder.decode_sound(bytes, "fuzz", {.limits = kLimits});
  if (!sound) {
    require(sound.error().message.find("fuzz") != std::string_view::npos);
    require(sound.error().code != contra4::ErrorCode::kInternal);
    return 0;
  }
  check_samples(*sound);
  const auto start = decoder.decode_sound(bytes, "fuzz", {.max_kept_s = kKeptS, .limits = kLimits});
  require(start.has_value());
  check_start(*sound, *start);
  if (const auto mono = decoder.resample_mono(*sound, 16'000)) {
    require(mono->sample_rate_hz == 16'000 && mono->num_channels == 1);
  }
  return 0;
}
