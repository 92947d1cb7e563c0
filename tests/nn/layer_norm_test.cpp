#include "contra4/nn/layer_norm.h"

#include <ATen/ops/allclose.h>
#include <ATen/ops/tensor.h>
#include <gtest/gtest.h>

#include "contra4/base/error.h"
#include "tests/support/error_of.h"
#include "tests/support/gradients.h"
#include "tests/support/safetensors_file.h"
#include "tests/support/tensors.h"
#include "tests/support/test_env.h"

#include <vector>

namespace contra4::nn {
namespace {

using testing::error_of;

TEST(LayerNorm, BringsRowsToMeanZeroAndVarianceOne) {
  const testing::TempDir folder;
  testing::write_safetensors(folder / "x.safetensors",
                             {testing::stored_float32("n.weight", {2}, {2, 2}),
                              testing::stored_float32("n.bias", {2}, {1, 1})});
  const LayerNorm norm = load_layer_norm(tensor::Checkpoint(folder / "x.safetensors"), "n",
                                         {.width = 2, .eps = 1e-12});
  EXPECT_TRUE(at::allclose(norm(at::tensor({3.F, 5.F, 0.F, -8.F}).view({2, 2})),
                           at::tensor({-1.F, 3.F, 3.F, -1.F}).view({2, 2})));
}

TEST(LayerNorm, TakesAnyNumberOfDimensionsInFront) {
  const LayerNorm norm{.weight = at::tensor({1.F, 1.F}), .bias = at::tensor({0.F, 0.F})};
  const at::Tensor x = at::tensor({0.F, 2.F, 2.F, 0.F}).view({2, 1, 2});
  EXPECT_TRUE(at::allclose(norm(x), at::tensor({-1.F, 1.F, 1.F, -1.F}).view({2, 1, 2}), 1e-4));
}

TEST(LayerNorm, ARowOfEqualsIsItsBias) {
  const LayerNorm norm{.weight = at::tensor({5.F, 5.F}), .bias = at::tensor({1.F, 2.F})};
  EXPECT_TRUE(at::allclose(norm(at::tensor({7.F, 7.F})), at::tensor({1.F, 2.F})));
}

TEST(LayerNorm, AWidthThatTheFileLacksIsToldByTensor) {
  const testing::TempDir folder;
  testing::write_safetensors(folder / "x.safetensors",
                             {testing::stored_float32("n.weight", {2}, {2, 2}),
                              testing::stored_float32("n.bias", {2}, {1, 1})});
  const tensor::Checkpoint checkpoint(folder / "x.safetensors");
  const Error wrong = error_of([&] { load_layer_norm(checkpoint, "n", {.width = 3}); });
  EXPECT_EQ(wrong.code, ErrorCode::kDataLoss);
  EXPECT_NE(wrong.message.find("n.weight"), std::string::npos) << wrong.message;
  EXPECT_EQ(error_of([&] { load_layer_norm(checkpoint, "m", {.width = 2}); }).code,
            ErrorCode::kNotFound);
}

TEST(LayerNorm, HasItsGradients) {
  const auto function = [](const std::vector<at::Tensor>& x) {
    return LayerNorm{.weight = x[1], .bias = x[2]}(x[0]);
  };
  EXPECT_LT(testing::gradient_error(
                function, {testing::wavy({2, 6}), testing::wavy({6}, 1), testing::wavy({6}, 2)}),
            1e-7);
}

}  // namespace
}  // namespace contra4::nn
