#include "contra4/nn/key_value_cache.h"

#include <algorithm>
#include <utility>

#include <ATen/ops/empty.h>
#include <ATen/ops/index_copy.h>
#include <ATen/ops/index_select.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/tril.h>
#include <ATen/ops/zeros.h>
#include <ATen/ops/zeros_like.h>

#include "contra4/base/error.h"
#include "contra4/nn/attention.h"
#include "contra4/nn/product.h"

namespace contra4::nn {

CacheStep::CacheStep(std::vector<CacheGroup> groups, const CacheShape& cache, at::Device device)
    : groups_(std::move(groups)) {
  std::vector<std::int64_t> positions;
  std::vector<std::int64_t> slots;
  for (const CacheGroup& group : groups_) {
    CONTRA4_CHECK(group.first_sequence + group.count <= cache.num_sequences &&
                      group.past + group.length <= cache.capacity,
                  "a group beyond the cache");
    for (std::int64_t i = 0; i < group.count; ++i) {
      for (std::int64_t j = 0; j < group.length; ++j) {
        positions.push_back(group.past + j);
        slots.push_back((group.first_sequence + i) * cache.capacity + group.past + j);
      }
    }
  }
  positions_ = at::tensor(positions, at::kLong).to(device);
  slots_ = at::tensor(slots, at::kLong).to(device);
  masks_.resize(groups_.size());
  join_single_rows(device);
  for (std::size_t i = 0; i < groups_.size(); ++i) {
    const CacheGroup& group = groups_[i];
    if (group.past == 0 || group.length == 1) continue;
    masks_[i] =
        at::ones({group.length, group.past + group.length}, at::kBool).tril(group.past).to(device);
  }
}

void CacheStep::join_single_rows(at::Device device) {
  if (groups_.size() < 2) return;
  std::int64_t longest = 0;
  for (std::size_t i = 0; i < groups_.size(); ++i) {
    const CacheGroup& group = groups_[i];
    if (group.length != 1) return;
    if (i > 0 && group.first_sequence != groups_[i - 1].first_sequence + groups_[i - 1].count) {
      return;
    }
    longest = std::max(longest, group.past + 1);
  }
  at::Tensor mask = at::zeros({num_rows(), 1, 1, longest}, at::kBool);
  std::int64_t row = 0;
  for (const CacheGroup& group : groups_) {
    mask.narrow(0, row, group.count).narrow(3, 0, group.past + 1).fill_(true);
    row += group.count;
  }
  groups_ = {{.first_sequence = groups_[0].first_sequence,
              .count = num_rows(),
              .past = longest - 1,
              .length = 1}};
  masks_ = {mask.to(device)};
}

// Zeros, because a masked position still takes part in the product with a weight of zero, and zero
// times what is no number is none.
KeyValueCache::KeyValueCache(const CacheShape& shape, const Placement& placement)
    : shape_(shape),
      keys_(at::zeros({shape.num_sequences, shape.capacity, shape.num_heads * shape.head_width},
                      placement.options())),
      values_(at::zeros_like(keys_)) {}

at::Tensor KeyValueCache::attend(const at::Tensor& qkv, const CacheStep& step) {
  const std::int64_t width = shape_.num_heads * shape_.head_width;
  CONTRA4_CHECK(qkv.dim() == 2 && qkv.size(0) == step.num_rows() && qkv.size(1) == 3 * width,
                "queries, keys and values of all rows");
  keys_.view({-1, width}).index_copy_(0, step.slots(), qkv.narrow(1, width, width));
  values_.view({-1, width}).index_copy_(0, step.slots(), qkv.narrow(1, 2 * width, width));
  at::Tensor out = at::empty({qkv.size(0), width}, qkv.options());
  std::int64_t first_row = 0;
  for (std::size_t i = 0; i < step.groups().size(); ++i) {
    const CacheGroup& group = step.groups()[i];
    const at::Tensor queries = qkv.narrow(0, first_row, group.num_rows())
                                   .narrow(1, 0, width)
                                   .unflatten(0, {group.count, group.length});
    const auto seen = [&](const at::Tensor& all) {
      return split_heads(
          all.narrow(0, group.first_sequence, group.count).narrow(1, 0, group.past + group.length),
          shape_.num_heads);
    };
    const at::Tensor& mask = step.masks_[i];
    const at::Tensor mixed =
        attention(split_heads(queries, shape_.num_heads), seen(keys_), seen(values_), mask,
                  /*is_causal=*/!mask.defined() && group.length > 1);
    out.narrow(0, first_row, group.num_rows())
        .view({group.count, group.length, width})
        .copy_(merge_heads(mixed));
    first_row += group.num_rows();
  }
  return out;
}

KeyValueCache KeyValueCache::branch(const at::Tensor& parents, std::int64_t past,
                                    const CacheShape& shape) const {
  KeyValueCache cache(shape, {.device = keys_.device(), .dtype = keys_.scalar_type()});
  const auto copy = [&](const at::Tensor& from, at::Tensor& to) {
    to.narrow(1, 0, past).copy_(from.narrow(1, 0, past).index_select(0, parents.to(from.device())));
  };
  copy(keys_, cache.keys_);
  copy(values_, cache.values_);
  return cache;
}

}  // namespace contra4::nn
