// A decoder without codecs: what it makes says in words what was asked of it.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "contra4/media/decoder.h"

namespace contra4::testing {

// Five seconds at two frames a second; frame n is n + 1 pixels high.
class FakeVideo final : public media::Video {
 public:
  explicit FakeVideo(int num_frames) {
    timeline_.average_fps = {2, 1};
    timeline_.time_base = {1, 10};
    for (int i = 0; i < num_frames; ++i) timeline_.frame_pts_ticks.push_back(5 * i);
    timeline_.duration_ticks = 5 * num_frames;
  }
  const media::VideoTimeline& timeline() const override { return timeline_; }
  Result<std::vector<media::Picture>> frames(std::span<const std::int64_t> numbers) override {
    std::vector<media::Picture> pictures;
    for (const std::int64_t number : numbers) {
      const int height = static_cast<int>(number) + 1;
      pictures.push_back({.width = 64, .height = height, .rgb = {}});
      pictures.back().rgb.resize(std::size_t{3} * 64 * static_cast<std::size_t>(height));
    }
    return pictures;
  }

 private:
  media::VideoTimeline timeline_;
};

// Files that hold "broken" do not decode. A JPEG of it has a byte for each hundred pixels and point
// of quality, at least.
class FakeDecoder final : public media::MediaDecoder {
 public:
  int width = 640;  // of every picture
  int height = 480;
  double sound_s = 2;
  int num_frames = 10;
  mutable int num_decoded = 0;

  Result<media::Picture> decode_picture(std::string_view bytes, std::string_view name,
                                        const media::PictureOptions& options) const override {
    if (is_broken(bytes)) return broken(name);
    ++num_decoded;
    const bool is_turned = options.applies_orientation && bytes.find("Exif") != bytes.npos;
    return blank(is_turned ? height : width, is_turned ? width : height);
  }
  Result<media::Sound> decode_sound(std::string_view bytes, std::string_view name,
                                    const media::SoundOptions&) const override {
    if (is_broken(bytes)) return broken(name);
    ++num_decoded;
    const auto num_samples = static_cast<std::size_t>(sound_s * 44'100);
    return media::Sound{44'100, 2, std::vector<float>(2 * num_samples, 0.5F)};
  }
  Result<std::unique_ptr<media::Video>> open_video(std::string_view bytes, std::string_view name,
                                                   const media::VideoOptions&) const override {
    if (is_broken(bytes)) return broken(name);
    ++num_decoded;
    return std::unique_ptr<media::Video>(std::make_unique<FakeVideo>(num_frames));
  }
  Result<std::string> encode_jpeg(const media::Picture& picture, int quality) const override {
    std::string jpeg =
        fmt::format("\xff\xd8\xff {}x{} {} ", picture.width, picture.height, quality);
    const auto size = static_cast<std::size_t>(picture.width) *
                      static_cast<std::size_t>(picture.height) * static_cast<std::size_t>(quality) /
                      100;
    jpeg.resize(std::max(jpeg.size(), size), '.');
    return jpeg;
  }
  Result<std::string> encode_png(const media::Picture& picture) const override {
    return fmt::format("\x89PNG\r\n\x1a\n{}x{}", picture.width, picture.height);
  }
  Result<media::Picture> resize(const media::Picture&, int to_width, int to_height) const override {
    return blank(to_width, to_height);
  }
  Result<media::Sound> resample_mono(const media::Sound& sound, int rate_hz) const override {
    const auto num_frames_out = static_cast<std::size_t>(static_cast<double>(sound.num_frames()) *
                                                         rate_hz / sound.sample_rate_hz);
    return media::Sound{rate_hz, 1, std::vector<float>(num_frames_out, 0.5F)};
  }

 private:
  static bool is_broken(std::string_view bytes) { return bytes.find("broken") != bytes.npos; }
  static Error broken(std::string_view name) {
    return {ErrorCode::kDataLoss, fmt::format("{}: broken", name)};
  }
  static media::Picture blank(int to_width, int to_height) {
    media::Picture picture{.width = to_width, .height = to_height, .rgb = {}};
    picture.rgb.resize(std::size_t{3} * static_cast<std::size_t>(to_width) *
                       static_cast<std::size_t>(to_height));
    return picture;
  }
};

}  // namespace contra4::testing
