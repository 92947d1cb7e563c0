#include "contra4/features/resample.h"

#include <cmath>
#include <cstdint>
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

at::Tensor two_channels() {
  std::vector<float> samples = noise_samples(2000);
  return at::from_blob(samples.data(), {2, 1000}, at::kFloat).clone();
}

float at(const at::Tensor& samples, std::int64_t channel, std::int64_t i) {
  return samples[channel][i].item<float>();
}

struct Rates {
  int from_hz;
  int to_hz;
  std::int64_t num_samples;
  // Of channel 0 the first, second and middle one, of channel 1 the eighth and the last.
  std::vector<float> values;
};

class Resample : public ::testing::TestWithParam<Rates> {};

// The values are those of torchaudio's formula, run in torch 2.13.
TEST_P(Resample, HasThePublishedValues) {
  const Rates& rates = GetParam();
  const at::Tensor result = resample_sinc(two_channels(), rates.from_hz, rates.to_hz);
  ASSERT_EQ(result.sizes().vec(), (std::vector<std::int64_t>{2, rates.num_samples}));
  const std::int64_t last = rates.num_samples - 1;
  const std::vector<float> found = {at(result, 0, 0), at(result, 0, 1),
                                    at(result, 0, rates.num_samples / 2), at(result, 1, 7),
                                    at(result, 1, last)};
  for (std::size_t i = 0; i < found.size(); ++i) EXPECT_NEAR(found[i], rates.values[i], 5e-7) << i;
}

INSTANTIATE_TEST_SUITE_P(
    Rates, Resample,
    ::testing::Values(Rates{44100,
                            16000,
                            363,
                            {-0.19660865F, -0.1687934F, -0.097956292F, -0.20458359F, -0.14222904F}},
                      Rates{48000,
                            16000,
                            334,
                            {-0.19010608F, -0.16127047F, -0.02046215F, -0.49851045F, -0.1129663F}},
                      Rates{8000,
                            16000,
                            2000,
                            {-0.52427179F, -0.43985781F, 0.26136371F, -0.99967986F, 0.27965319F}},
                      Rates{16000,
                            44100,
                            2757,
                            {-0.52427179F, -0.48593432F, 0.27387816F, -0.007390643F, 0.04879811F}},
                      Rates{22050,
                            16000,
                            726,
                            {-0.43616992F, -0.2026972F, 0.42522597F, -0.88692713F, 0.23221245F}}));

TEST(Resample, LeavesSamplesOfThatRateAlone) {
  const at::Tensor samples = two_channels();
  EXPECT_TRUE(resample_sinc(samples, 16000, 16000).equal(samples));
}

TEST(Resample, KeepsALevelInside) {
  const at::Tensor level = resample_sinc(at::ones({1, 4410}, at::kFloat), 44100, 16000);
  EXPECT_LT((level.narrow(1, 50, 1500) - 1).abs().max().item<float>(), 2e-3);
}

TEST(Resample, TakesRatesWithoutACommonDivisorAndExtremeOnes) {
  EXPECT_EQ(resample_sinc(at::ones({1, 5000}, at::kFloat), 44101, 16000).size(1), 1815);
  EXPECT_EQ(resample_sinc(at::ones({1, 5000}, at::kFloat), 767'999, 16000).size(1), 105);
  EXPECT_EQ(resample_sinc(at::ones({1, 2}, at::kFloat), 1, 16000).size(1), 32000);
  EXPECT_EQ(resample_sinc(at::zeros({2, 0}, at::kFloat), 8000, 16000).size(1), 0);
}

TEST(Resample, RefusesRatesThatAreNone) {
  for (const int rate : {0, -1, kMaxSampleRateHz + 1}) {
    const Error error = testing::error_of([&] { resample_sinc(two_channels(), rate, 16000); });
    EXPECT_EQ(error.code, ErrorCode::kInvalidArgument);
    EXPECT_NE(error.message.find("sample rate of " + std::to_string(rate)), std::string::npos);
  }
}

}  // namespace
}  // namespace contra4::features
