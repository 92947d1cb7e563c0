// What a decoder has seen so far: the keys and values of every position, written in place.
#pragma once

#include <cstdint>
#include <vector>

#include <ATen/core/Tensor.h>

#include "contra4/nn/placement.h"

namespace contra4::nn {

struct CacheShape {
  std::int64_t num_sequences = 0;
  std::int64_t capacity = 0;  // positions a sequence can have
  std::int64_t num_heads = 0;
  std::int64_t head_width = 0;
};

// `count` sequences that lie one after the other in the cache; each has `past` positions there
// already and gets `length` new ones behind them.
struct CacheGroup {
  std::int64_t first_sequence = 0;
  std::int64_t count = 0;
  std::int64_t past = 0;
  std::int64_t length = 0;

  std::int64_t num_rows() const { return count * length; }
};

// One forward pass over a packed matrix [rows, width]: group after group, sequence after sequence.
// The same for all layers of a device.
class CacheStep {
 public:
  // Throws kInternal when a group does not fit into the cache.
  CacheStep(std::vector<CacheGroup> groups, const CacheShape& cache, at::Device device);

  const std::vector<CacheGroup>& groups() const { return groups_; }
  std::int64_t num_rows() const { return positions_.size(0); }
  const at::Tensor& positions() const { return positions_; }  // [rows] int64
  const at::Tensor& slots() const { return slots_; }          // [rows] int64: sequence, position

 private:
  friend class KeyValueCache;
  // One new row each of sequences of several lengths that lie side by side: all at once, what lies
  // behind each masked.
  void join_single_rows(at::Device device);

  std::vector<CacheGroup> groups_;
  at::Tensor positions_;
  at::Tensor slots_;
  std::vector<at::Tensor> masks_;  // of each group, where one is needed
};

// Of one layer.
class KeyValueCache {
 public:
  KeyValueCache(const CacheShape& shape, const Placement& placement);

  // Writes the new keys and values, then every row sees the positions of its own sequence up to
  // itself.
  //   qkv      [step.num_rows(), 3 * width] queries, keys and values side by side, turned already
  //   returns  [step.num_rows(), width]
  at::Tensor attend(const at::Tensor& qkv, const CacheStep& step);

  // A cache whose sequence i begins as sequence parents[i] of this one does, `past` positions.
  KeyValueCache branch(const at::Tensor& parents, std::int64_t past, const CacheShape& shape) const;

  const CacheShape& shape() const { return shape_; }

 private:
  CacheShape shape_;
  at::Tensor keys_;    // [num_sequences, capacity, heads * head_width]
  at::Tensor values_;  // the same
};

}  // namespace contra4::nn
