// Which sequences are computed together: by length, so that nothing is padded.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "contra4/nn/sequences.h"

namespace contra4::models {

struct LengthBatch {
  std::vector<std::size_t> items;  // indices, in the order of the rows
  nn::SequenceGroups groups;       // of those, by length
};

// Every index of `lengths` in exactly one batch, shorter ones first, equal ones in their order. A
// batch has at most `max_rows` rows (tokens), but at least one sequence. The plan depends on
// nothing else.
std::vector<LengthBatch> plan_length_batches(std::span<const std::size_t> lengths,
                                             std::size_t max_rows);

}  // namespace contra4::models
