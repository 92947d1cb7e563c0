#include "contra4/nn/attention.h"

#include <vector>

#include <ATen/ops/empty.h>

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
                          std::int64_t num_heads) {
  CONTRA4_CHECK(qkv.dim() == 2 && qkv.size(0) == num_rows(groups), "rows of all groups");
  CONTRA4_CHECK(qkv.size(1) % (3 * num_heads) == 0, "three times whole heads");
  const std::int64_t width = qkv.size(1) / 3;
  at::Tensor out = at::empty({qkv.size(0), width}, qkv.options());
  std::int64_t first_row = 0;
  for (const SequenceGroup& group : groups) {
    const at::Tensor rows =
        qkv.narrow(0, first_row, group.num_rows()).view({group.count, group.length, 3 * width});
    const std::vector<at::Tensor> parts = rows.split(width, -1);
    const at::Tensor mixed =
        attention(split_heads(parts[0], num_heads), split_heads(parts[1], num_heads),
                  split_heads(parts[2], num_heads));
    out.narrow(0, first_row, group.num_rows())
        .view({group.count, group.length, width})
        .copy_(merge_heads(mixed));
    first_row += group.num_rows();
  }
  return out;
}

at::Tensor cross_attention(const at::Tensor& queries, const at::Tensor& keys_values,
                           std::int64_t num_heads) {
  const std::int64_t width = queries.size(-1);
  CONTRA4_CHECK(queries.size(0) == keys_values.size(0) && keys_values.size(-1) == 2 * width,
                "a sequence of keys and values for each of queries");
  return merge_heads(attention(split_heads(queries, num_heads),
                               split_heads(keys_values.narrow(-1, 0, width), num_heads),
                               split_heads(keys_values.narrow(-1, width, width), num_heads)));
}

}  // namespace contra4::nn
