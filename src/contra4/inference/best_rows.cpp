#include "contra4/inference/best_rows.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

#include <fmt/format.h>

#include "contra4/base/error.h"

namespace contra4 {

namespace {

constexpr double kLargestNorm = 1e18;

// Eight running sums, added up in the same order whatever the compiler makes of the loop.
double dot_in_double(std::span<const float> a, std::span<const float> b) {
  constexpr std::size_t kLanes = 8;
  std::array<double, kLanes> sums{};
  std::size_t i = 0;
  for (; i + kLanes <= a.size(); i += kLanes) {
    for (std::size_t lane = 0; lane < kLanes; ++lane) {
      sums[lane] += static_cast<double>(a[i + lane]) * static_cast<double>(b[i + lane]);
    }
  }
  for (; i < a.size(); ++i) sums[0] += static_cast<double>(a[i]) * static_cast<double>(b[i]);
  return ((sums[0] + sums[4]) + (sums[1] + sums[5])) + ((sums[2] + sums[6]) + (sums[3] + sums[7]));
}

}  // namespace

float exact_dot(std::span<const float> a, std::span<const float> b) {
  return static_cast<float>(dot_in_double(a, b));
}

BestRows::BestRows(std::size_t k) : k_(k) {
  heap_.reserve(k);
}

void BestRows::offer(const ScoredRow& row) {
  if (heap_.size() < k_) {
    heap_.push_back(row);
    std::push_heap(heap_.begin(), heap_.end(), is_better);
  } else if (k_ > 0 && is_better(row, heap_.front())) {
    std::pop_heap(heap_.begin(), heap_.end(), is_better);
    heap_.back() = row;
    std::push_heap(heap_.begin(), heap_.end(), is_better);
  }
  if (heap_.size() == k_ && k_ > 0) threshold_ = heap_.front().score;
}

std::vector<ScoredRow> BestRows::take_sorted() {
  std::sort_heap(heap_.begin(), heap_.end(), is_better);
  threshold_ = -std::numeric_limits<float>::infinity();
  return std::exchange(heap_, {});
}

std::vector<float> checked_norms(const char* name, std::span<const float> rows,
                                 std::size_t dimension) {
  CONTRA4_CHECK(dimension > 0 && rows.size() % dimension == 0, "rows of one dimension");
  std::vector<float> norms;
  norms.reserve(rows.size() / dimension);
  for (std::size_t begin = 0; begin < rows.size(); begin += dimension) {
    const std::span<const float> row = rows.subspan(begin, dimension);
    const double norm = std::sqrt(dot_in_double(row, row));
    if (!(norm <= kLargestNorm)) {
      throw Exception(ErrorCode::kInvalidArgument,
                      fmt::format("[search] vector {} of the {} has values that are no finite "
                                  "numbers, or norm above {:g}",
                                  norms.size(), name, kLargestNorm));
    }
    norms.push_back(static_cast<float>(norm));
  }
  return norms;
}

}  // namespace contra4
