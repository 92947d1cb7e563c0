#include "contra4/nn/vit_block.h"

#include <ATen/ops/allclose.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/sigmoid.h>
#include <gtest/gtest.h>

#include "contra4/nn/attention.h"
#include "tests/support/gradients.h"
#include "tests/support/tensors.h"

#include <vector>

namespace contra4::nn {
namespace {

using ::contra4::testing::wavy;

constexpr std::int64_t kWidth = 8;
constexpr std::int64_t kInner = 12;

TEST(VitBlock, NormalisesBeforeEachHalfAndAddsToTheInput) {
  const VitBlock block{
      .num_heads = 2,
      .activation = Activation::kQuickGelu,
      .attention_norm = {.weight = wavy({kWidth}, 1), .bias = wavy({kWidth}, 2)},
      .query_key_value = {.weight = wavy({3 * kWidth, kWidth}, 3), .bias = wavy({3 * kWidth}, 4)},
      .attention_output = {.weight = wavy({kWidth, kWidth}, 5), .bias = wavy({kWidth}, 6)},
      .feed_forward_norm = {.weight = wavy({kWidth}, 7), .bias = wavy({kWidth}, 8)},
      .feed_forward_in = {.weight = wavy({kInner, kWidth}, 9), .bias = wavy({kInner}, 10)},
      .feed_forward_out = {.weight = wavy({kWidth, kInner}, 11), .bias = wavy({kWidth}, 12)}};
  const SequenceGroups groups = {{.count = 2, .length = 3}};
  const at::Tensor x = wavy({6, kWidth}, 13);
  const at::Tensor mixed =
      self_attention(block.query_key_value(block.attention_norm(x)), groups, {.num_heads = 2});
  const at::Tensor attended = x.add(block.attention_output(mixed));
  const at::Tensor inner = block.feed_forward_in(block.feed_forward_norm(attended));
  const at::Tensor expected =
      attended.add(block.feed_forward_out(inner.mul(at::sigmoid(inner.mul(1.702)))));
  EXPECT_TRUE(at::allclose(block.forward(x, groups), expected, 1e-5, 1e-5));
  EXPECT_TRUE(at::equal(x, wavy({6, kWidth}, 13)));
}

TEST(VitBlock, HasItsGradients) {
  const auto function = [](const std::vector<at::Tensor>& x) {
    const VitBlock block{.num_heads = 2,
                         .activation = Activation::kQuickGelu,
                         .attention_norm = {.weight = x[1], .bias = x[2]},
                         .query_key_value = {.weight = x[3], .bias = x[4]},
                         .attention_output = {.weight = x[5], .bias = x[6]},
                         .feed_forward_norm = {.weight = x[7], .bias = x[8]},
                         .feed_forward_in = {.weight = x[9], .bias = x[10]},
                         .feed_forward_out = {.weight = x[11], .bias = x[12]}};
    return block.forward(x[0], {{.count = 2, .length = 3}});
  };
  EXPECT_LT(testing::gradient_error(
                function,
                {wavy({6, kWidth}, 13), wavy({kWidth}, 1), wavy({kWidth}, 2),
                 wavy({3 * kWidth, kWidth}, 3), wavy({3 * kWidth}, 4), wavy({kWidth, kWidth}, 5),
                 wavy({kWidth}, 6), wavy({kWidth}, 7), wavy({kWidth}, 8), wavy({kInner, kWidth}, 9),
                 wavy({kInner}, 10), wavy({kWidth, kInner}, 11), wavy({kWidth}, 12)}),
            1e-7);
}

}  // namespace
}  // namespace contra4::nn
