#include "contra4/nn/linear.h"

#include <ATen/ops/cat.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/tensor.h>
#include <gtest/gtest.h>

#include "contra4/base/error.h"
#include "tests/support/safetensors_file.h"
#include "tests/support/test_env.h"

namespace contra4::nn {
namespace {

TEST(Linear, MultipliesAndAdds) {
  const Linear linear{.weight = at::tensor({1.F, 2.F, 3.F, 4.F, 5.F, 6.F}).view({3, 2}),
                      .bias = at::tensor({10.F, 20.F, 30.F})};
  const at::Tensor x = at::tensor({1.F, -1.F}).view({1, 2});
  EXPECT_TRUE(at::equal(linear(x), at::tensor({9.F, 19.F, 29.F}).view({1, 3})));
  const Linear without_bias{.weight = linear.weight, .bias = {}};
  EXPECT_TRUE(at::equal(without_bias(x), at::tensor({-1.F, -1.F, -1.F}).view({1, 3})));
}

TEST(Linear, ConcatenatedOutputsAreThoseOfTheLayers) {
  const Linear a{.weight = at::tensor({1.F, 2.F}).view({1, 2}), .bias = at::tensor({1.F})};
  const Linear b{.weight = at::tensor({3.F, 4.F, 5.F, 6.F}).view({2, 2}),
                 .bias = at::tensor({2.F, 3.F})};
  const at::Tensor x = at::tensor({1.F, 2.F, 3.F, 4.F}).view({2, 2});
  EXPECT_TRUE(at::equal(concatenate_outputs({a, b})(x), at::cat({a(x), b(x)}, 1)));
  EXPECT_THROW(concatenate_outputs({}), Exception);
  EXPECT_THROW(concatenate_outputs({a, {.weight = b.weight, .bias = {}}}), Exception);
}

TEST(Linear, LoadsByNameAndChecksTheShape) {
  const testing::TempDir folder;
  testing::write_safetensors(folder / "x.safetensors",
                             {testing::stored_float32("l.weight", {1, 2}, {1, 2}),
                              testing::stored_float32("l.bias", {1}, {3})});
  const tensor::Checkpoint checkpoint(folder / "x.safetensors");
  EXPECT_TRUE(load_linear(checkpoint, "l", {.in = 2, .out = 1}).bias.defined());
  EXPECT_FALSE(load_linear(checkpoint, "l", {.in = 2, .out = 1, .has_bias = false}).bias.defined());
  EXPECT_THROW(load_linear(checkpoint, "l", {.in = 1, .out = 2}), Exception);
  EXPECT_THROW(load_linear(checkpoint, "m", {.in = 2, .out = 1}), Exception);
}

}  // namespace
}  // namespace contra4::nn
