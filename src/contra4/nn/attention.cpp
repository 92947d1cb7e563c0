#include "contra4/nn/attention.h"

#include <vector>

#include <ATen/ops/cat.h>

#include "contra4/base/error.h"
#include "contra4/nn/product.h"

namespace contra4::nn {

at::Tensor split_heads(const at::Tensor& x, std::int64_t num_heads) {
  return x.unflatten(-1, {num_heads, x.size(-1) / num_heads}).transpose(1, 2);
}

at::Tensor merge_heads(const at::Tensor& x) {
  return x.transpose(1, 2).flatten(2);
}

at::Tensor self_attention(const at::Tensor& qkv, const SequenceGroups& groups,
                          const SelfAttentionOptions& options) {
  const std::int64_t num_heads = options.num_heads;
  CONTRA4_CHECK(qkv.dim() == 2 && qkv.size(0) == num_rows(groups), "rows of all groups");
  CONTRA4_CHECK(qkv.size(1) % (3 * num_heads) == 0, "three times whole heads");
  const std::int64_t width = qkv.size(1) / 3;
  const auto attend = [&](const at::Tensor& rows, const SequenceGroup& group) {
    const std::vector<at::Tensor> parts =
        rows.view({group.count, group.length, 3 * width}).split(width, -1);
    return merge_heads(attention(split_heads(parts[0], num_heads), split_heads(parts[1], num_heads),
                                 split_heads(parts[2], num_heads), {}, options.is_causal))
        .flatten(0, 1);
  };
  if (groups.size() == 1) return attend(qkv, groups[0]);
  std::vector<std::int64_t> sizes;
  for (const SequenceGroup& group : groups) sizes.push_back(group.num_rows());
  // One split and one cat: gradients of all groups come back in one piece.
  const std::vector<at::Tensor> rows = qkv.split_with_sizes(sizes);
  std::vector<at::Tensor> mixed;
  for (std::size_t i = 0; i < groups.size(); ++i) mixed.push_back(attend(rows[i], groups[i]));
  return at::cat(mixed);
}

at::Tensor cross_attention(const at::Tensor& queries, const at::Tensor& keys_values,
                           std::int64_t num_heads) {
  const std::int64_t width = queries.size(-1);
  CONTRA4_CHECK(queries.size(0) == keys_values.size(0) && keys_values.size(-1) == 2 * width,
                "a sequence of keys and values for each of queries");
  const std::vector<at::Tensor> parts = keys_values.split(width, -1);
  return merge_heads(attention(split_heads(queries, num_heads), split_heads(parts[0], num_heads),
                               split_heads(parts[1], num_heads)));
}

}  // namespace contra4::nn
