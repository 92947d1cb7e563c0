#include "contra4/models/length_batches.h"

#include <algorithm>
#include <cstdint>
#include <numeric>

namespace contra4::models {

std::vector<LengthBatch> plan_length_batches(std::span<const std::size_t> lengths,
                                             std::size_t max_rows) {
  std::vector<std::size_t> order(lengths.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return lengths[a] < lengths[b]; });
  std::vector<LengthBatch> batches;
  std::size_t num_rows = 0;
  for (const std::size_t item : order) {
    const std::size_t length = lengths[item];
    if (batches.empty() || num_rows + length > max_rows) {
      batches.emplace_back();
      num_rows = 0;
    }
    LengthBatch& batch = batches.back();
    batch.items.push_back(item);
    if (batch.groups.empty() || batch.groups.back().length != static_cast<std::int64_t>(length)) {
      batch.groups.push_back({.count = 0, .length = static_cast<std::int64_t>(length)});
    }
    ++batch.groups.back().count;
    num_rows += length;
  }
  return batches;
}

}  // namespace contra4::models
