#include "contra4/nn/sequences.h"

namespace contra4::nn {

std::int64_t num_rows(const SequenceGroups& groups) {
  std::int64_t sum = 0;
  for (const SequenceGroup& group : groups) sum += group.num_rows();
  return sum;
}

std::int64_t num_sequences(const SequenceGroups& groups) {
  std::int64_t sum = 0;
  for (const SequenceGroup& group : groups) sum += group.count;
  return sum;
}

}  // namespace contra4::nn
