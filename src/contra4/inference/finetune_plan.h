// What a fine-tuning would do and take, computed without loading a weight.
#pragma once

#include <cstdint>

namespace contra4 {

struct FinetunePlan {
  std::int64_t num_items = 0;        // that are learnt from
  std::int64_t num_left_out = 0;     // that cannot be: no answer, or one that would be cut off
  std::int64_t num_groups = 0;       // of items that show the same modalities in the same order
  std::int64_t num_never_shown = 0;  // items that no batch has, under is_compat
  std::int64_t steps_per_epoch = 0;
  std::int64_t total_steps = 0;

  std::int64_t num_trained = 0;  // weights that learn, of all processes together
  std::int64_t num_frozen = 0;   // weights that are used and stay as they are

  // Bytes of one process. The first four follow from shapes and are exact but for what fills up
  // shares; the last is an estimate for the largest batch.
  std::uint64_t weight_bytes = 0;    // what computes: frozen weights and copies of trained ones
  std::uint64_t master_bytes = 0;    // the weights that learn
  std::uint64_t moment_bytes = 0;    // of the optimizer
  std::uint64_t gradient_bytes = 0;  // summed ones, and those of a backward pass
  std::uint64_t activation_bytes = 0;

  std::uint64_t total_bytes() const {
    return weight_bytes + master_bytes + moment_bytes + gradient_bytes + activation_bytes;
  }
};

}  // namespace contra4
