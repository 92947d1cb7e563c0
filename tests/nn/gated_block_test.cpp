#include "contra4/nn/gated_block.h"

#include <ATen/ops/allclose.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/mm.h>
#include <ATen/ops/silu.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "contra4/nn/attention.h"
#include "tests/support/error_of.h"
#include "tests/support/gradients.h"
#include "tests/support/tensors.h"
#include "tests/support/test_env.h"

#include <string>
#include <utility>
#include <vector>

namespace contra4::nn {
namespace {

constexpr std::int64_t kWidth = 6;
constexpr std::int64_t kInner = 10;
const GatedBlockShape kShape{.width = kWidth, .feed_forward_width = kInner, .norm_eps = 1e-5};

class GatedBlockTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::vector<testing::StoredTensor> tensors;
    float phase = 0;
    const auto add = [&](const std::string& name, const std::vector<std::int64_t>& shape) {
      tensors.push_back(testing::stored("b." + name + ".weight", testing::wavy(shape, phase++)));
    };
    for (const char* name : {"wq", "wk", "wv", "wo"}) {
      add(std::string("attention.") + name, {kWidth, kWidth});
    }
    add("feed_forward.w1", {kInner, kWidth});
    add("feed_forward.w3", {kInner, kWidth});
    add("feed_forward.w2", {kWidth, kInner});
    add("attention_norm", {kWidth});
    add("ffn_norm", {kWidth});
    testing::write_safetensors(folder_ / "x.safetensors", tensors);
  }
  tensor::Checkpoint checkpoint() const { return tensor::Checkpoint(folder_ / "x.safetensors"); }
  at::Tensor weight(const std::string& name) const {
    return *checkpoint().find("b." + name + ".weight");
  }
  RmsNorm norm(const std::string& name) const { return {.weight = weight(name), .eps = 1e-5}; }

  testing::TempDir folder_;
};

TEST_F(GatedBlockTest, GivesQueriesKeysAndValuesOfTheNormalisedInput) {
  const GatedBlock block(checkpoint(), meta_block_names("b"), kShape, {});
  const at::Tensor x = testing::wavy({4, kWidth}, 9);
  const at::Tensor n = norm("attention_norm")(x);
  const at::Tensor expected =
      at::cat({n.mm(weight("attention.wq").t()), n.mm(weight("attention.wk").t()),
               n.mm(weight("attention.wv").t())},
              1);
  EXPECT_TRUE(at::allclose(block.queries_keys_values(x), expected, 1e-5, 1e-6));
  EXPECT_TRUE(at::allclose(block.queries(x), expected.narrow(1, 0, kWidth), 1e-5, 1e-6));
  EXPECT_TRUE(
      at::allclose(block.keys_values(x), expected.narrow(1, kWidth, 2 * kWidth), 1e-5, 1e-6));
}

// Large enough for what computes gate and product at once.
TEST(GatedFeedForward, GivesTheSameForManyRows) {
  constexpr std::int64_t kRows = 300;
  constexpr LinearShape kLarge{.in = 128, .out = 256, .has_bias = false};
  const at::Tensor w1 = testing::wavy({256, 128}, 1).mul_(0.1);
  const at::Tensor w3 = testing::wavy({256, 128}, 2).mul_(0.1);
  const at::Tensor w2 = testing::wavy({128, 256}, 3).mul_(0.1);
  const at::Tensor x = testing::wavy({kRows, 128}, 4);
  const at::Tensor scale = testing::wavy({128}, 5);
  const at::Tensor n = RmsNorm{.weight = scale}(x);
  const at::Tensor wanted = at::silu(n.mm(w1.t())).mul(n.mm(w3.t())).mm(w2.t());
  for (const at::ScalarType type : {at::kFloat, at::kBFloat16}) {
    const auto checkpoint = tensor::Checkpoint::of_tensors(
        {{"w1.weight", w1.to(type)}, {"w3.weight", w3.to(type)}, {"w2.weight", w2.to(type)}}, "x");
    // As they lie, and copied into one matrix.
    for (const at::ScalarType computed : {type, at::kFloat}) {
      const GatedFeedForward layer(checkpoint, {.gate = "w1", .up = "w3", .down = "w2"}, kLarge,
                                   {.dtype = computed});
      const double bound = type == at::kFloat ? 1e-5 : 3e-2;
      EXPECT_TRUE(
          at::allclose(layer(RmsNorm{.weight = scale.to(computed)}, x.to(computed)).to(at::kFloat),
                       wanted, bound, bound))
          << type << " computed in " << computed;
    }
  }
}

TEST_F(GatedBlockTest, AddsAttentionAndTheGatedPartToTheInput) {
  const GatedBlock block(checkpoint(), meta_block_names("b"), kShape, {});
  const at::Tensor x = testing::wavy({4, kWidth}, 9);
  const at::Tensor mixed = testing::wavy({4, kWidth}, 11);
  const at::Tensor attended = x.add(mixed.mm(weight("attention.wo").t()));
  const at::Tensor n = norm("ffn_norm")(attended);
  const at::Tensor gated =
      at::silu(n.mm(weight("feed_forward.w1").t())).mul(n.mm(weight("feed_forward.w3").t()));
  const at::Tensor expected = attended.add(gated.mm(weight("feed_forward.w2").t()));
  EXPECT_TRUE(at::allclose(block.finish(x, mixed), expected, 1e-5, 1e-5));
  EXPECT_TRUE(at::equal(x, testing::wavy({4, kWidth}, 9)));
}

// In another type the products are joined; the outcome is that of each alone.
TEST_F(GatedBlockTest, JoinedProductsGiveTheSame) {
  const Placement half{.device = at::kCPU, .dtype = at::kBFloat16};
  const std::vector<std::string> names = {"b.attention.wq", "b.attention.wk"};
  const LinearShape square{.in = kWidth, .out = kWidth, .has_bias = false};
  const ParallelLinear apart(checkpoint(), names, square, {});
  const ParallelLinear joined(checkpoint(), names, square, half);
  EXPECT_EQ(apart.num_products(), 2U);
  EXPECT_EQ(joined.num_products(), 1U);
  const at::Tensor x = testing::wavy({3, kWidth}, 4);
  EXPECT_TRUE(at::allclose(joined(x.to(at::kBFloat16)).to(at::kFloat), apart(x), 0.1, 0.05));
  EXPECT_TRUE(at::equal(joined.apply(x.to(at::kBFloat16), 1, 1),
                        joined(x.to(at::kBFloat16)).narrow(1, kWidth, kWidth)));
}

TEST_F(GatedBlockTest, NamesTheMissingTensor) {
  const Error error = testing::error_of(
      [&] { GatedBlock(checkpoint(), meta_block_names("c"), kShape, Placement{}); });
  EXPECT_EQ(error.code, ErrorCode::kNotFound);
  EXPECT_THAT(error.message, ::testing::HasSubstr("'c."));
}

TEST_F(GatedBlockTest, HasTheGradientsOfAllItsWeights) {
  const std::vector<std::string> names = {"attention.wq",    "attention.wk",    "attention.wv",
                                          "attention.wo",    "feed_forward.w1", "feed_forward.w3",
                                          "feed_forward.w2", "attention_norm",  "ffn_norm"};
  std::vector<at::Tensor> operands = {testing::wavy({4, kWidth}, 9)};
  for (const std::string& name : names) operands.push_back(weight(name));
  const auto function = [&](const std::vector<at::Tensor>& x) {
    std::vector<std::pair<std::string, at::Tensor>> tensors;
    for (std::size_t i = 0; i < names.size(); ++i) {
      tensors.emplace_back("b." + names[i] + ".weight", x[i + 1]);
    }
    const GatedBlock block(tensor::Checkpoint::of_tensors(tensors, "test"), meta_block_names("b"),
                           kShape, {.device = at::kCPU, .dtype = x[0].scalar_type()});
    const at::Tensor mixed = self_attention(block.queries_keys_values(x[0]),
                                            {{.count = 2, .length = 2}}, {.num_heads = 2});
    return at::cat({block.finish(x[0], mixed), block.queries(x[0]), block.keys_values(x[0])}, 1);
  };
  EXPECT_LT(testing::gradient_error(function, operands), 1e-7);
  std::vector<at::Tensor> recorded = operands;
  for (at::Tensor& tensor : recorded) tensor = tensor.clone().requires_grad_();
  EXPECT_TRUE(at::allclose(function(recorded), function(operands), 1e-6, 1e-6));
}

}  // namespace
}  // namespace contra4::nn
