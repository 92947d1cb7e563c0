// Which questions are learnt from together, and when. All of a step show the same modalities in the
// same order: so all processes compute through the same layers.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace contra4::train {

struct BatchSamplerOptions {
  std::int64_t batch_size = 2;  // a process and micro-batch
  int num_processes = 1;
  std::int64_t accumulation = 1;
  std::uint64_t seed = 0;
  // As published: groups are cut to whole multiples before anything is shuffled, so that their ends
  // are never seen and small groups not at all; the seed has no influence.
  bool is_compat = false;
};

// A place of a batch: an item, or one that does not count: where a process has nothing to learn
// from in a batch of a step, it computes an item that the step learns from elsewhere, so that all
// processes go through the same layers, but nothing is learnt from it.
struct BatchPlace {
  std::int64_t item = 0;
  bool counts = true;
};
// Micro-batches of one process: accumulation of batch_size places, fewer in the last step of a
// group. All processes have equally many of a step, none of them empty.
using StepBatches = std::vector<std::vector<BatchPlace>>;

// Every epoch has an order of its own, which follows from seed and epoch. By default the items of
// each group are shuffled, then cut into steps, the last of them with what is left; then the steps
// of all groups are shuffled. Every item counts once an epoch. In a step, items go to the processes
// batch by batch and then to the next micro-batch: the same items are in a step for every division
// of the same batch_size * num_processes * accumulation, and only the last step of a group has
// places that do not count, each a batch of its own.
//
// Source of is_compat: artemisp/contra4-fork 8492529, GroupedDistSampler of contra4_finetune.py,
// with the order of numpy's default_rng(epoch). The default draws from default_rng([seed, epoch]).
//
// The order of the epoch asked for last is kept in the object: one thread at a time, though all
// functions are const.
class BatchSampler {
 public:
  // One group number per item: items of a group show the same modalities in the same order. Throws
  // kInvalidArgument for sizes below 1, and for steps of more than 2^24 questions.
  BatchSampler(std::span<const std::int64_t> group_of_item, const BatchSamplerOptions& options);

  // Optimizer steps of an epoch, the same in every one. 0: no group is large enough (is_compat).
  std::int64_t steps_per_epoch() const { return steps_per_epoch_; }
  // Items that no epoch shows; 0 by default.
  std::int64_t num_left_out() const { return num_left_out_; }

  // Of `rank` in that step, counted from 0 in the epoch; the same arguments give the same places,
  // whatever was asked before.
  StepBatches step(std::int64_t epoch, std::int64_t step, int rank) const;

 private:
  // The items of an epoch, step behind step.
  struct Order {
    std::vector<std::int64_t> items;
    std::vector<std::size_t> begins;  // of each step in `items`, and the end of the last one

    std::span<const std::int64_t> step(std::int64_t number) const;
  };

  Order make_order(std::int64_t epoch) const;
  const Order& order(std::int64_t epoch) const;

  std::vector<std::vector<std::int64_t>> groups_;  // in the order of first appearance
  BatchSamplerOptions options_;
  std::int64_t step_size_ = 1;  // places of a step, of all processes
  std::int64_t steps_per_epoch_ = 0;
  std::int64_t num_left_out_ = 0;
  mutable std::optional<std::int64_t> cached_epoch_;
  mutable Order cached_order_;
};

}  // namespace contra4::train
