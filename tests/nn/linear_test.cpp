#include "contra4/nn/linear.h"

#include <ATen/ops/allclose.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/tensor.h>
#include <gtest/gtest.h>

#include "contra4/base/error.h"
#include "tests/support/error_of.h"
#include "tests/support/gradients.h"
#include "tests/support/safetensors_file.h"
#include "tests/support/tensors.h"
#include "tests/support/test_env.h"

#include <string>
#include <utility>
#include <vector>

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

// A checkpoint of tensors that are there: products a and b [3, 2], and updates of rank 1 where
// asked for.
tensor::Checkpoint in_memory(const std::vector<at::Tensor>& x, bool has_updates) {
  std::vector<std::pair<std::string, at::Tensor>> tensors = {{"a.weight", x[1]},
                                                             {"b.weight", x[2]}};
  if (has_updates) {
    tensors.emplace_back("b.lora_a", x[3]);
    tensors.emplace_back("b.lora_b", x[4]);
    tensors.emplace_back("lora_scale", at::tensor({0.5F}));
  }
  return tensor::Checkpoint::of_tensors(std::move(tensors), "test");
}

std::vector<at::Tensor> operands() {
  return {testing::wavy({4, 2}), testing::wavy({3, 2}, 1), testing::wavy({3, 2}, 2),
          testing::wavy({1, 2}, 3), testing::wavy({3, 1}, 4)};
}

constexpr LinearShape kSmall{.in = 2, .out = 3, .has_bias = false};

TEST(ParallelLinear, HasItsGradients) {
  const auto function = [](const std::vector<at::Tensor>& x) {
    const ParallelLinear layer(in_memory(x, false), {"a", "b"}, kSmall,
                               {.device = at::kCPU, .dtype = x[0].scalar_type()});
    EXPECT_EQ(layer.num_products(), 2U);
    return at::cat({layer(x[0]), layer.apply(x[0], 1, 1)}, 1);
  };
  const auto all = operands();
  const std::vector<at::Tensor> three(all.begin(), all.begin() + 3);
  EXPECT_LT(testing::gradient_error(function, three), 1e-8);
  std::vector<at::Tensor> recorded = three;
  recorded[2] = recorded[2].clone().requires_grad_();
  EXPECT_TRUE(at::equal(function(recorded), function(three)));
}

// Rows, two weights and the weight of a norm.
at::Tensor of_normalised(const std::vector<at::Tensor>& x, bool at_once) {
  const ParallelLinear layer(in_memory(x, false), {"a", "b"}, kSmall,
                             {.device = at::kCPU, .dtype = x[0].scalar_type()});
  const RmsNorm norm{.weight = x[3], .eps = 0.1};
  if (at_once) return at::cat({layer.apply(norm, x[0], 0, 2), layer.apply(norm, x[0], 1, 1)}, 1);
  return at::cat({layer(norm(x[0])), layer.apply(norm(x[0]), 1, 1)}, 1);
}

TEST(ParallelLinear, HasTheGradientsOfNormalisedRows) {
  auto all = operands();
  all[3] = testing::wavy({2}, 3);
  all.pop_back();
  const auto function = [](const std::vector<at::Tensor>& x) { return of_normalised(x, true); };
  EXPECT_LT(testing::gradient_error(function, all), 1e-8);
  EXPECT_TRUE(at::equal(function(all), of_normalised(all, false)));
}

TEST(ParallelLinear, NormalisedRowsGiveGradientsToWhatWantsThem) {
  for (unsigned wanted = 1; wanted < 16; ++wanted) {
    const auto gradients = [&](bool at_once) {
      auto x = operands();
      x[3] = testing::wavy({2}, 3);
      for (std::size_t i = 0; i < 4; ++i) {
        x[i] = x[i].to(at::kDouble).requires_grad_((wanted >> i & 1U) != 0);
      }
      testing::weighted_sum(of_normalised(x, at_once)).backward();
      return std::vector<at::Tensor>{x[0].grad(), x[1].grad(), x[2].grad(), x[3].grad()};
    };
    const auto found = gradients(true);
    const auto expected = gradients(false);
    for (std::size_t i = 0; i < 4; ++i) {
      ASSERT_EQ(found[i].defined(), (wanted >> i & 1U) != 0) << wanted << ", operand " << i;
      if (found[i].defined()) EXPECT_TRUE(at::allclose(found[i], expected[i], 1e-10, 1e-12));
    }
  }
}

TEST(ParallelLinear, AddsLowRankUpdatesWithTheirScale) {
  const auto function = [](const std::vector<at::Tensor>& x) {
    const ParallelLinear layer(in_memory(x, true), {"a", "b"}, kSmall,
                               {.device = at::kCPU, .dtype = x[0].scalar_type()});
    return layer(x[0]);
  };
  const auto x = operands();
  const at::Tensor expected =
      at::cat({x[0].mm(x[1].t()), x[0].mm(x[2].add(x[4].mm(x[3]), 0.5).t())}, 1);
  EXPECT_TRUE(at::allclose(function(x), expected, 1e-5, 1e-6));
  EXPECT_LT(testing::gradient_error(function, x), 1e-8);
}

TEST(Linear, AddsItsLowRankUpdate) {
  const auto function = [](const std::vector<at::Tensor>& x) {
    const tensor::Checkpoint checkpoint = in_memory(x, true);
    const Placement placement{.device = at::kCPU, .dtype = x[0].scalar_type()};
    // Without one it is the plain product, of any number of dimensions.
    EXPECT_FALSE(load_linear(checkpoint, "a", kSmall, placement).update.is_defined());
    return load_linear(checkpoint, "b", kSmall, placement)(x[0].view({2, 2, 2}));
  };
  const auto x = operands();
  const at::Tensor expected = x[0].mm(x[2].add(x[4].mm(x[3]), 0.5).t()).view({2, 2, 3});
  EXPECT_TRUE(at::allclose(function(x), expected, 1e-5, 1e-6));
  EXPECT_LT(testing::gradient_error(
                [&](const std::vector<at::Tensor>& few) {
                  return function({few[0], x[1].to(at::kDouble), few[1], few[2], few[3]});
                },
                {x[0], x[2], x[3], x[4]}),
            1e-8);
}

TEST(Linear, RefusesHalfAnUpdateAndAScaleOfManyNumbers) {
  const auto x = operands();
  const auto load = [&](std::vector<std::pair<std::string, at::Tensor>> more) {
    more.emplace_back("b.weight", x[2]);
    return testing::error_of(
        [&] { load_linear(tensor::Checkpoint::of_tensors(std::move(more), "test"), "b", kSmall); });
  };
  EXPECT_EQ(load({{"b.lora_a", x[3]}}).code, ErrorCode::kNotFound);
  EXPECT_EQ(load({{"b.lora_b", x[4]}}).code, ErrorCode::kNotFound);
  EXPECT_EQ(load({{"b.lora_a", x[3]}, {"b.lora_b", x[3]}}).code, ErrorCode::kDataLoss);
  EXPECT_EQ(load({{"b.lora_a", x[3]}, {"b.lora_b", x[4]}, {"lora_scale", x[0]}}).code,
            ErrorCode::kDataLoss);
}

}  // namespace
}  // namespace contra4::nn
