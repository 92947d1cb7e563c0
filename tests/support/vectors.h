// Seeded vectors for tests of searches, and the plain way to search them.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <span>
#include <vector>

#include "contra4/base/random.h"
#include "contra4/inference/best_rows.h"

namespace contra4::testing {

// [num_rows, dimension], each row of norm 1 in a direction of its own.
inline std::vector<float> random_unit_rows(std::size_t num_rows, std::size_t dimension,
                                           std::uint64_t seed) {
  Random random(seed);
  std::vector<float> values;
  values.reserve(num_rows * dimension);
  for (std::size_t row = 0; row < num_rows; ++row) {
    double sum = 0;
    for (std::size_t i = 0; i < dimension; ++i) {
      const double value = random.uniform() - 0.5;
      sum += value * value;
      values.push_back(static_cast<float>(value));
    }
    const auto scale = static_cast<float>(1 / std::sqrt(sum));
    for (std::size_t i = values.size() - dimension; i < values.size(); ++i) values[i] *= scale;
  }
  return values;
}

// Every row of `base` with its score, best first.
inline std::vector<ScoredRow> rows_by_sorting(std::span<const float> base,
                                              std::span<const float> query) {
  std::vector<ScoredRow> rows;
  for (std::size_t begin = 0; begin < base.size(); begin += query.size()) {
    rows.push_back({exact_dot(query, base.subspan(begin, query.size())),
                    static_cast<std::uint32_t>(begin / query.size())});
  }
  std::sort(rows.begin(), rows.end(), is_better);
  return rows;
}

}  // namespace contra4::testing
