#include "contra4/nn/blocked_attention.h"

#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/Parallel.h>
#include <ATen/ops/full.h>
#include <ATen/ops/matmul.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/softmax.h>
#include <ATen/ops/triu.h>
#include <ATen/ops/zeros.h>
#include <c10/core/GradMode.h>
#include <c10/core/InferenceMode.h>
#include <gtest/gtest.h>

#include "contra4/nn/attention.h"
#include "contra4/nn/processor.h"

namespace contra4::nn {
namespace {

struct Shape {
  std::int64_t batch = 1;
  std::int64_t heads = 1;
  std::int64_t queries = 1;
  std::int64_t keys = 1;
  bool is_causal = false;
};

// Heads lie side by side in rows, as a model has them.
at::Tensor heads_of(std::int64_t batch, std::int64_t length, std::int64_t heads,
                    std::uint64_t seed) {
  const at::Tensor rows = at::randn({batch, length, 3 * heads * 16},
                                    at::detail::createCPUGenerator(seed), at::TensorOptions());
  return split_heads(rows.to(at::kBFloat16).narrow(2, heads * 16, heads * 16), heads);
}

at::Tensor reference(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v,
                     bool is_causal) {
  at::Tensor scores =
      at::matmul(q.to(at::kDouble), k.to(at::kDouble).transpose(2, 3)).div(4);  // sqrt(16)
  if (is_causal) {
    scores.add_(
        at::full({q.size(2), k.size(2)}, -std::numeric_limits<double>::infinity(), scores.options())
            .triu(1));
  }
  return at::matmul(at::softmax(scores, -1), v.to(at::kDouble));
}

TEST(BlockedAttention, IsAttentionHoweverItIsCut) {
  const int num_threads = at::get_num_threads();
  for (const int threads : {1, 2, 5}) {
    at::set_num_threads(threads);
    for (const Shape& shape :
         {Shape{.batch = 3, .heads = 4, .queries = 70, .keys = 70, .is_causal = true},
          Shape{.batch = 1, .heads = 5, .queries = 130, .keys = 90},
          Shape{.batch = 1, .heads = 2, .queries = 1100, .keys = 1100, .is_causal = true},  // rows
          Shape{.batch = 1, .heads = 1, .queries = 300, .keys = 20'000},
          Shape{.batch = 2, .heads = 3, .queries = 1, .keys = 1, .is_causal = true}}) {
      const at::Tensor q = heads_of(shape.batch, shape.queries, shape.heads, 1);
      const at::Tensor k = heads_of(shape.batch, shape.keys, shape.heads, 2);
      const at::Tensor v = heads_of(shape.batch, shape.keys, shape.heads, 3);
      const at::Tensor found = blocked_attention(q, k, v, shape.is_causal);
      ASSERT_EQ(found.sizes(), q.sizes());
      EXPECT_EQ(found.scalar_type(), at::kBFloat16);
      EXPECT_TRUE(found.transpose(1, 2).is_contiguous()) << "heads side by side";
      const at::Tensor wanted = reference(q, k, v, shape.is_causal);
      EXPECT_LT(found.to(at::kDouble).sub(wanted).abs().max().item<double>(), 0.03)
          << threads << " threads, " << shape.queries << " queries";
    }
  }
  at::set_num_threads(num_threads);
}

TEST(BlockedAttention, RunsInInferenceMode) {
  const c10::InferenceMode inference;
  const at::Tensor q = heads_of(4, 80, 2, 1);
  const at::Tensor found = blocked_attention(q, q, q, true);
  EXPECT_TRUE(found.is_inference());
  EXPECT_LT(found.to(at::kDouble).sub(reference(q, q, q, true)).abs().max().item<double>(), 0.03);
}

TEST(PrefersBlockedAttention, LongBfloat16WithoutGradients) {
  const at::Tensor q = heads_of(1, 80, 2, 1);
  EXPECT_EQ(prefers_blocked_attention(q, q, q),
            is_processor_by_amd() && has_bfloat16_instructions());
  EXPECT_FALSE(prefers_blocked_attention(q.narrow(2, 0, 1), q, q)) << "decoding";
  EXPECT_FALSE(prefers_blocked_attention(q.to(at::kFloat), q, q));
  const at::Tensor trained = at::zeros({1, 2, 80, 16}, at::kBFloat16).requires_grad_();
  EXPECT_FALSE(prefers_blocked_attention(q, trained, q));
  const c10::NoGradGuard computes_for_a_backward_pass;
  EXPECT_FALSE(prefers_blocked_attention(q, trained, q));
}

}  // namespace
}  // namespace contra4::nn
