#include "contra4/features/fbank.h"

#include <cmath>
#include <cstdint>
#include <numbers>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include <ATen/TensorOperators.h>
#include <ATen/ops/from_blob.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/zeros.h>

#include "contra4/base/error.h"
#include "tests/features/noise.h"
#include "tests/support/error_of.h"

namespace contra4::features {
namespace {

at::Tensor tensor_of(std::vector<float> samples) {
  return at::from_blob(samples.data(), {static_cast<std::int64_t>(samples.size())}, at::kFloat)
      .clone();
}

float at(const at::Tensor& frames, std::int64_t frame, std::int64_t bin) {
  return frames[frame][bin].item<float>();
}

// Reference in float64; bins above -5 are free of the rounding of float32.
TEST(LogMel, OfTwoTonesIsTheReference) {
  std::vector<float> samples;
  double sum = 0;
  for (int i = 0; i < 16000; ++i) {
    const double t = i / 16000.0;
    samples.push_back(static_cast<float>(0.5 * std::sin(2 * std::numbers::pi * 440 * t) +
                                         0.25 * std::sin(2 * std::numbers::pi * 3000 * t + 1)));
    sum += samples.back();
  }
  for (float& sample : samples) sample -= static_cast<float>(sum / 16000);
  const at::Tensor frames = log_mel(tensor_of(samples), {});
  ASSERT_EQ(frames.sizes().vec(), (std::vector<std::int64_t>{98, 128}));
  EXPECT_NEAR(at(frames, 0, 23), 3.9088, 1e-3);
  EXPECT_NEAR(at(frames, 0, 24), 3.5365, 1e-3);
  EXPECT_NEAR(at(frames, 0, 25), 1.4256, 1e-3);
  EXPECT_NEAR(at(frames, 0, 10), -9.7118, 0.1);
  EXPECT_FLOAT_EQ(at(frames, 0, 3), kLogMelFloor) << "this filter covers no bin of the spectrum";
  EXPECT_EQ(frames[0].argmax().item<std::int64_t>(), 84);
}

// The values are those of torchaudio's formula, run in torch 2.13.
TEST(LogMel, OfNoiseIsThePublishedOne) {
  const at::Tensor samples = tensor_of(noise_samples(900));
  const std::vector<std::pair<int, int>> places = {{0, 0}, {0, 3}, {1, 50}, {3, 127}};
  const auto expect = [&](FbankOptions::Window window, const std::vector<float>& values) {
    const at::Tensor frames = log_mel(samples, {.window = window});
    ASSERT_EQ(frames.sizes().vec(), (std::vector<std::int64_t>{4, 128}));
    for (std::size_t i = 0; i < places.size(); ++i) {
      EXPECT_NEAR(at(frames, places[i].first, places[i].second), values[i], 2e-5) << i;
    }
  };
  expect(FbankOptions::Window::kHanning, {-3.332743F, -15.94238F, 1.590877F, 6.819572F});
  expect(FbankOptions::Window::kPovey, {-3.252936F, -15.94238F, 1.686386F, 6.885333F});
}

TEST(LogMel, CountsOnlyFramesThatFit) {
  const auto num_frames = [](std::int64_t samples) {
    return log_mel(at::zeros({samples}, at::kFloat), {}).size(0);
  };
  EXPECT_EQ(num_frames(400), 1);
  EXPECT_EQ(num_frames(559), 1);
  EXPECT_EQ(num_frames(560), 2);
}

TEST(LogMel, OfSilenceIsTheFloor) {
  const at::Tensor frames = log_mel(at::zeros({1600}, at::kFloat), {});
  EXPECT_EQ(frames.min().item<float>(), kLogMelFloor);
  EXPECT_EQ(frames.max().item<float>(), kLogMelFloor);
}

TEST(LogMel, ComputesNoMoreFramesThanAsked) {
  const at::Tensor samples = tensor_of(noise_samples(4000));
  const at::Tensor all = log_mel(samples, {});
  EXPECT_TRUE(log_mel(samples, {.max_frames = 5}).allclose(all.narrow(0, 0, 5), 0, 1e-4));
  EXPECT_EQ(log_mel(samples, {.max_frames = 500}).size(0), all.size(0));
}

TEST(LogMel, RefusesAClipBelowOneFrame) {
  const Error error = testing::error_of([] { log_mel(at::zeros({399}, at::kFloat), {}); });
  EXPECT_EQ(error.code, ErrorCode::kInvalidArgument);
  EXPECT_EQ(error.message, "[log_mel] 399 samples are less than one frame of 400 (25 ms)");
}

TEST(WithNumFrames, CutsOrFillsBehind) {
  const at::Tensor frames = at::ones({3, 2}, at::kFloat);
  EXPECT_TRUE(with_num_frames(frames, 2).equal(frames.narrow(0, 0, 2)));
  EXPECT_TRUE(with_num_frames(frames, 3).equal(frames));
  const at::Tensor longer = with_num_frames(frames, 5);
  EXPECT_TRUE(longer.narrow(0, 0, 3).equal(frames));
  EXPECT_TRUE(longer.narrow(0, 3, 2).equal(at::zeros({2, 2}, at::kFloat)));
}

}  // namespace
}  // namespace contra4::features
