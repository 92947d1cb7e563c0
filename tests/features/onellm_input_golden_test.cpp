// Files of every modality against what the published program makes of them.
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "contra4/features/onellm_input.h"
#include "contra4/io/file.h"
#include "contra4/io/npy.h"
#include "contra4/media/codecs/codecs.h"
#include "contra4/media/point_cloud.h"
#include "tests/support/test_env.h"

namespace contra4::features {
namespace {

using Shape = std::vector<std::int64_t>;

std::filesystem::path goldens() {
  return testing::shared_dir() / "goldens";
}

std::string media_file(const std::string& name) {
  return io::read_file(goldens() / "media" / name);
}

std::vector<float> golden(const char* file, const std::string& member, const Shape& shape) {
  const io::MappedFile mapped(goldens() / "onellm" / file);
  const io::NpyArray array = io::read_npz(mapped.bytes(), member, file).value();
  EXPECT_EQ(array.shape, shape);
  return array.to_float32();
}

std::span<const float> values_of(const at::Tensor& tensor) {
  EXPECT_TRUE(tensor.is_contiguous());
  return {tensor.const_data_ptr<float>(), static_cast<std::size_t>(tensor.numel())};
}

// The largest difference; of values beyond `above` alone.
float largest_difference(std::span<const float> found, std::span<const float> expected,
                         float above = -1e30F) {
  EXPECT_EQ(found.size(), expected.size());
  float largest = 0;
  std::size_t num_compared = 0;
  for (std::size_t i = 0; i < std::min(found.size(), expected.size()); ++i) {
    if (expected[i] <= above) continue;
    ++num_compared;
    const float difference = std::abs(found[i] - expected[i]);
    largest = std::isfinite(difference) ? std::max(largest, difference) : 1e30F;
  }
  EXPECT_GT(num_compared, found.size() / 20) << "most of it was left out";
  return largest;
}

class Golden : public ::testing::Test {
 protected:
  void SetUp() override { CONTRA4_REQUIRE_SHARED(); }
  static void record(const std::string& what, double difference) {
    RecordProperty(what, fmt::format("{:.2g}", difference));
  }
};

using OneLlmImageGolden = Golden;
using OneLlmAudioGolden = Golden;
using OneLlmVideoGolden = Golden;
using OneLlmPointsGolden = Golden;

TEST_F(OneLlmImageGolden, HasThePublishedValues) {
  for (const std::string name :
       {"landscape.jpg", "portrait.jpg", "grey.jpg", "small.png", "alpha.png", "palette.png"}) {
    const media::Picture picture =
        media::linked_decoder()
            .decode_picture(media_file(name), name, {.applies_orientation = false, .limits = {}})
            .value();
    const float difference =
        largest_difference(values_of(onellm_image(picture)),
                           golden("preprocessed.npz", "image/" + name, {3, 224, 224}));
    record(name, difference);
    EXPECT_LT(difference, 1e-5) << name;
  }
}

// The logarithm of bins near the floor hangs on the last bit of float32: bins above -5 are compared
// each, the others in their mean.
TEST_F(OneLlmAudioGolden, HasThePublishedValues) {
  constexpr float kAboveNoise = (-5 + 4.2677393F) / 9.1379948F;
  for (const std::string name : {"speech16k.wav", "speech16k.flac", "speech22k.wav",
                                 "speech48k_24bit.wav", "short.wav", "tones44k_stereo.wav"}) {
    const media::Sound sound =
        media::linked_decoder().decode_sound(media_file(name), name, {}).value();
    const at::Tensor audio = onellm_audio(sound).value();
    const std::span<const float> found = values_of(audio);
    const std::vector<float> expected = golden("preprocessed.npz", "audio/" + name, {1, 128, 1024});
    const float above_noise = largest_difference(found, expected, kAboveNoise);
    double sum = 0;
    for (std::size_t i = 0; i < expected.size(); ++i) sum += std::abs(found[i] - expected[i]);
    const double mean = sum / static_cast<double>(expected.size());
    record(name + ".above_noise", above_noise);
    record(name + ".all", largest_difference(found, expected));
    record(name + ".mean", mean);
    EXPECT_LT(above_noise, 1e-3) << name;
    EXPECT_LT(mean, 2e-3) << name;
  }
}

// Another decoder than the published one turns the colours: two grey levels of 255.
TEST_F(OneLlmVideoGolden, HasThePublishedFrames) {
  const float deviation[3] = {0.26862954F, 0.26130258F, 0.27577711F};
  for (const std::string name : {"clip14s.mp4", "clip9s_12fps.mp4"}) {
    const std::string bytes = media_file(name);
    const auto video = media::linked_decoder().open_video(bytes, name, {}).value();
    const auto numbers = onellm_frame_numbers(video->timeline(), {}).value();
    const at::Tensor clips = onellm_video(video->frames(numbers).value());
    const std::span<const float> found = values_of(clips);
    const std::vector<float> expected =
        golden("video_preprocessed.npz", "video/" + name, {15, 3, 224, 224});
    ASSERT_EQ(found.size(), expected.size());
    float largest = 0;
    for (std::size_t i = 0; i < expected.size(); ++i) {
      const std::size_t channel = i / (std::size_t{224} * 224) % 3;
      largest = std::max(largest, std::abs(found[i] - expected[i]) * deviation[channel] * 255);
    }
    record(name + ".grey_levels", largest);
    EXPECT_LT(largest, 2) << name;
  }
}

TEST_F(OneLlmPointsGolden, HasThePublishedValues) {
  for (const std::string name : {"chair_8192.npz", "chair_deflated_8192.npz"}) {
    const media::PointCloud cloud = media::read_point_cloud(media_file(name), name).value();
    const at::Tensor points = onellm_points(cloud).value();
    const float difference = largest_difference(
        values_of(points), golden("preprocessed.npz", "point/chair_8192.npz", {16384, 6}));
    record(name, difference);
    EXPECT_LT(difference, 1e-5) << name;
  }
}

}  // namespace
}  // namespace contra4::features
