// Sequences of several lengths in one matrix without padding: everything but attention works row by
// row and need not know where one ends.
#pragma once

#include <cstdint>
#include <vector>

namespace contra4::nn {

// `count` sequences of `length` rows each, one after the other.
struct SequenceGroup {
  std::int64_t count = 0;
  std::int64_t length = 0;

  std::int64_t num_rows() const { return count * length; }
};

// The rows of a packed matrix [num_rows, width]: group after group.
using SequenceGroups = std::vector<SequenceGroup>;

std::int64_t num_rows(const SequenceGroups& groups);
std::int64_t num_sequences(const SequenceGroups& groups);

}  // namespace contra4::nn
