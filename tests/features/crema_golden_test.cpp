// What the encoders of CREMA and X-InstructBLIP need is built of the same parts: pictures by their
// 8-bit pixels, sounds by their samples and by the filter banks of BEATs.
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <filesystem>
#include <string>
#include <vector>

#include <ATen/TensorOperators.h>
#include <ATen/ops/from_blob.h>
#include <fmt/format.h>
#include <gtest/gtest.h>

#include "contra4/features/fbank.h"
#include "contra4/features/resample.h"
#include "contra4/features/resize.h"
#include "contra4/io/file.h"
#include "contra4/io/npy.h"
#include "contra4/media/codecs/codecs.h"
#include "tests/support/test_env.h"

namespace contra4::features {
namespace {

std::filesystem::path goldens() {
  return testing::shared_dir() / "goldens";
}

io::NpyArray golden(const std::string& member) {
  const io::MappedFile mapped(goldens() / "crema" / "preprocessed.npz");
  return io::read_npz(mapped.bytes(), member, "preprocessed.npz").value();
}

at::Tensor golden_tensor(const std::string& member) {
  const io::NpyArray array = golden(member);
  std::vector<float> values = array.to_float32();
  return at::from_blob(values.data(), array.shape, at::kFloat).clone();
}

// The mean of two channels, else the first, at 16 kHz.
at::Tensor waveform(const std::string& name) {
  const std::string bytes = io::read_file(goldens() / "media" / name);
  media::Sound sound = media::linked_decoder().decode_sound(bytes, name, {}).value();
  const at::Tensor samples = at::from_blob(
      sound.samples.data(), {sound.num_channels, static_cast<std::int64_t>(sound.num_frames())},
      at::kFloat);
  const at::Tensor mono =
      sound.num_channels == 2 ? samples.mean(0, /*keepdim=*/true) : samples.narrow(0, 0, 1);
  return resample_sinc(mono, sound.sample_rate_hz, 16000).clone()[0];
}

TEST(CremaPictures, HaveThePublishedBits) {
  CONTRA4_REQUIRE_SHARED();
  for (const std::string name :
       {"landscape.jpg", "portrait.jpg", "grey.jpg", "small.png", "alpha.png", "palette.png"}) {
    const std::string bytes = io::read_file(goldens() / "media" / name);
    const media::Picture picture =
        media::linked_decoder()
            .decode_picture(bytes, name, {.applies_orientation = false, .limits = {}})
            .value();
    const media::Picture small = resize_bicubic(picture, {224, 224});
    EXPECT_EQ(std::string(small.rgb.begin(), small.rgb.end()), golden("image_u8/" + name).bytes)
        << name;
  }
}

TEST(CremaSounds, HaveThePublishedSamples) {
  CONTRA4_REQUIRE_SHARED();
  for (const std::string name : {"speech22k.wav", "tones44k_stereo.wav"}) {
    const at::Tensor found = waveform(name);
    const at::Tensor expected = golden_tensor("waveform16k/" + name);
    ASSERT_EQ(found.sizes(), expected.sizes()) << name;
    const float difference = (found - expected).abs().max().item<float>();
    ::testing::Test::RecordProperty(name, fmt::format("{:.2g}", difference));
    EXPECT_LT(difference, 1e-6) << name;
  }
}

TEST(CremaSounds, HaveThePublishedFilterBanks) {
  CONTRA4_REQUIRE_SHARED();
  const auto beats_input = [](const at::Tensor& samples) {
    const at::Tensor frames =
        log_mel(samples * 32768, {.window = FbankOptions::Window::kPovey, .max_frames = 1024});
    return with_num_frames((frames - 15.41663) / (2 * 6.55582), 1024).view({2, 512, 128});
  };
  for (const std::string name :
       {"speech16k.wav", "speech16k.flac", "speech22k.wav", "speech48k_24bit.wav", "short.wav"}) {
    const at::Tensor found = beats_input(waveform(name));
    const float difference = (found - golden_tensor("audio/" + name)).abs().max().item<float>();
    ::testing::Test::RecordProperty(name, fmt::format("{:.2g}", difference));
    EXPECT_LT(difference, 1.5e-3) << name;
  }
  // Near-silent bins hang on the last bits, those of the Fourier transform of torch 1.13 too.
  const std::string tones = "tones44k_stereo.wav";
  const at::Tensor found = beats_input(golden_tensor("waveform16k/" + tones));
  const at::Tensor differences = (found - golden_tensor("audio/" + tones)).abs();
  EXPECT_LT(differences.mean().item<float>(), 2e-4);
  EXPECT_LT(differences.max().item<float>(), 0.02);
}

}  // namespace
}  // namespace contra4::features
