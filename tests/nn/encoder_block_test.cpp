#include "contra4/nn/encoder_block.h"

#include <ATen/ops/allclose.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/gelu.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "contra4/base/error.h"
#include "contra4/nn/attention.h"
#include "tests/support/test_env.h"
#include "tests/support/toy_minilm.h"

namespace contra4::nn {
namespace {

constexpr char kPrefix[] = "encoder.layer.0";

class EncoderBlockTest : public ::testing::Test {
 protected:
  void SetUp() override {
    testing::write_safetensors(folder_ / "x.safetensors", testing::toy_weights(sizes_));
  }
  tensor::Checkpoint checkpoint() const { return tensor::Checkpoint(folder_ / "x.safetensors"); }
  EncoderBlockShape shape() const {
    return {.width = sizes_.width,
            .num_heads = sizes_.num_heads,
            .feed_forward_width = sizes_.feed_forward_width};
  }

  testing::TempDir folder_;
  testing::ToyMiniLm sizes_;
};

TEST_F(EncoderBlockTest, AddsAndNormalisesAfterEachHalf) {
  const tensor::Checkpoint weights = checkpoint();
  const std::string prefix = kPrefix;
  const std::int64_t width = sizes_.width;
  const auto square = [&](const std::string& name) {
    return load_linear(weights, prefix + name, {.in = width, .out = width});
  };
  const LayerNormShape norm{.width = width, .eps = 1e-12};
  const SequenceGroups groups = {{.count = 1, .length = 4}};
  const at::Tensor x = at::arange(4 * width, at::kFloat).view({4, width}).sin();

  const Linear qkv =
      concatenate_outputs({square(".attention.self.query"), square(".attention.self.key"),
                           square(".attention.self.value")});
  const at::Tensor mixed = self_attention(qkv(x), groups, {.num_heads = sizes_.num_heads});
  const at::Tensor attended =
      load_layer_norm(weights, prefix + ".attention.output.LayerNorm",
                      norm)(square(".attention.output.dense")(mixed).add(x));
  const Linear inner = load_linear(weights, prefix + ".intermediate.dense",
                                   {.in = width, .out = sizes_.feed_forward_width});
  const Linear outer = load_linear(weights, prefix + ".output.dense",
                                   {.in = sizes_.feed_forward_width, .out = width});
  const at::Tensor expected = load_layer_norm(weights, prefix + ".output.LayerNorm",
                                              norm)(outer(at::gelu(inner(attended))).add(attended));

  const EncoderBlock block(weights, prefix, shape());
  EXPECT_TRUE(at::allclose(block.forward(x, groups), expected, 1e-5, 1e-6));
}

TEST_F(EncoderBlockTest, NamesTheMissingTensor) {
  try {
    const EncoderBlock block(checkpoint(), "encoder.layer.7", shape());
    FAIL() << "no exception";
  } catch (const Exception& exception) {
    EXPECT_EQ(exception.code(), ErrorCode::kNotFound);
    EXPECT_THAT(exception.what(),
                ::testing::HasSubstr("encoder.layer.7.attention.self.query.weight"));
  }
}

TEST_F(EncoderBlockTest, RejectsAnotherWidth) {
  EncoderBlockShape wrong = shape();
  wrong.feed_forward_width = 12;
  try {
    const EncoderBlock block(checkpoint(), kPrefix, wrong);
    FAIL() << "no exception";
  } catch (const Exception& exception) {
    EXPECT_EQ(exception.code(), ErrorCode::kDataLoss);
    EXPECT_THAT(exception.what(), ::testing::HasSubstr("has shape [16, 8], wanted [12, 8]"));
  }
}

}  // namespace
}  // namespace contra4::nn
