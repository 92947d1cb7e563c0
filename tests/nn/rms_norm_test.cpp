#include "contra4/nn/rms_norm.h"

#include <cmath>

#include <ATen/ops/allclose.h>
#include <ATen/ops/full.h>
#include <ATen/ops/ones.h>
#include <gtest/gtest.h>

#include "tests/support/tensors.h"

namespace contra4::nn {
namespace {

TEST(RmsNorm, DividesByTheRootMeanSquareAndScales) {
  const at::Tensor x = testing::wavy({3, 8}).mul(5);
  const at::Tensor weight = testing::wavy({8}, 1);
  const at::Tensor found = RmsNorm{.weight = weight, .eps = 1e-2}(x);
  for (std::int64_t row = 0; row < 3; ++row) {
    double squares = 0;
    for (std::int64_t i = 0; i < 8; ++i) {
      squares += std::pow(x.const_data_ptr<float>()[row * 8 + i], 2);
    }
    for (std::int64_t i = 0; i < 8; ++i) {
      const double expected = x.const_data_ptr<float>()[row * 8 + i] /
                              std::sqrt(squares / 8 + 1e-2) * weight.const_data_ptr<float>()[i];
      EXPECT_NEAR(found.const_data_ptr<float>()[row * 8 + i], expected, 1e-6);
    }
  }
}

// In bfloat16 the square of 300 times 4096 has no room for its last digits: sums are in float32.
TEST(RmsNorm, SumsInSinglePrecisionWhateverTheType) {
  const at::Tensor x = at::full({1, 4096}, 300.0F).to(at::kBFloat16);
  const RmsNorm norm{.weight = at::ones({4096}).to(at::kBFloat16), .eps = 1e-5};
  const at::Tensor found = norm(x);
  EXPECT_EQ(found.scalar_type(), at::kBFloat16);
  EXPECT_TRUE(at::allclose(found.to(at::kFloat), at::ones({1, 4096}), 0, 0));
}

}  // namespace
}  // namespace contra4::nn
