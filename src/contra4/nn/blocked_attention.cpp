#include "contra4/nn/blocked_attention.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>

#include <ATen/Parallel.h>
#include <ATen/ops/baddbmm.h>
#include <ATen/ops/bmm.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/full.h>
#include <ATen/ops/softmax.h>
#include <ATen/ops/triu.h>
#include <ATen/ops/zeros.h>
#include <c10/core/GradMode.h>
#include <c10/core/InferenceMode.h>

#include "contra4/nn/processor.h"
#include "contra4/nn/recording.h"

namespace contra4::nn {

namespace {

// Scores of a block: 2 MB of bfloat16, what a core's cache holds beside queries and keys.
constexpr std::int64_t kScores = 1 << 20;
// Fewer rows make products that are mostly overhead.
constexpr std::int64_t kFewestRows = 64;

std::int64_t blocks_of(std::int64_t count, std::int64_t at_once) {
  return (count + at_once - 1) / at_once;
}

// How the work is cut: whole heads where several fit, else rows of one.
struct Blocks {
  Blocks(std::int64_t num_heads, std::int64_t num_queries, std::int64_t num_keys,
         std::int64_t batch) {
    // Every thread gets some.
    const std::int64_t share = blocks_of(at::get_num_threads(), batch);
    const std::int64_t most = std::max<std::int64_t>(num_heads / share, 1);
    of_heads =
        blocks_of(num_heads, std::clamp<std::int64_t>(kScores / (num_queries * num_keys), 1, most));
    heads = blocks_of(num_heads, of_heads);
    const std::int64_t most_rows = std::max(kScores / num_keys, kFewestRows);
    of_rows = heads > 1 ? 1 : blocks_of(num_queries, most_rows);
    rows = blocks_of(num_queries, of_rows);
    count = batch * of_heads * of_rows;
  }

  std::int64_t heads = 1;  // of a block
  std::int64_t rows = 1;
  std::int64_t of_heads = 1;  // blocks over all heads
  std::int64_t of_rows = 1;
  std::int64_t count = 1;
};

}  // namespace

bool prefers_blocked_attention(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v) {
  return q.is_cpu() && q.scalar_type() == at::kBFloat16 && is_processor_by_amd() &&
         has_bfloat16_instructions() && q.size(2) >= kFewestRows && !is_trained(q, k, v);
}

at::Tensor blocked_attention(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v,
                             bool is_causal) {
  const std::int64_t num_heads = q.size(1);
  const std::int64_t num_queries = q.size(2);
  const std::int64_t num_keys = k.size(2);
  const double scale = 1 / std::sqrt(static_cast<double>(q.size(3)));
  const Blocks blocks(num_heads, num_queries, num_keys, q.size(0));
  at::Tensor out = at::empty({q.size(0), num_queries, num_heads, v.size(3)}, q.options());
  // Added to the scores.
  const at::Tensor hidden =
      is_causal
          ? at::full({num_queries, num_keys}, -std::numeric_limits<double>::infinity(), q.options())
                .triu(1)
          : at::zeros({1, 1}, q.options());
  const bool is_inference = c10::InferenceMode::is_enabled();
  at::parallel_for(0, blocks.count, 1, [&](std::int64_t begin, std::int64_t end) {
    // Threads do not take over what the caller has set.
    const c10::InferenceMode inference(is_inference);
    const c10::NoGradGuard no_gradients;
    for (std::int64_t block = begin; block < end; ++block) {
      const std::int64_t item = block / (blocks.of_heads * blocks.of_rows);
      const std::int64_t head = block / blocks.of_rows % blocks.of_heads * blocks.heads;
      const std::int64_t heads = std::min(blocks.heads, num_heads - head);
      const std::int64_t row = block % blocks.of_rows * blocks.rows;
      const std::int64_t rows = std::min(blocks.rows, num_queries - row);
      const std::int64_t seen = is_causal ? std::min(row + rows, num_keys) : num_keys;
      const auto part = [&](const at::Tensor& x, std::int64_t first, std::int64_t count) {
        return x.select(0, item).narrow(0, head, heads).narrow(1, first, count);
      };
      const at::Tensor added = is_causal ? hidden.narrow(0, row, rows).narrow(1, 0, seen) : hidden;
      const at::Tensor scores = at::baddbmm(added, part(q, row, rows),
                                            part(k, 0, seen).transpose(1, 2), is_causal, scale);
      out.select(0, item)
          .narrow(0, row, rows)
          .narrow(1, head, heads)
          .copy_(at::bmm(at::softmax(scores, -1), part(v, 0, seen)).transpose(0, 1));
    }
  });
  return out.transpose(1, 2);
}

}  // namespace contra4::nn
