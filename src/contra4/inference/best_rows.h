// What an exact search keeps of the rows that it meets.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <vector>

namespace contra4 {

// Dot product summed in double in a fixed order, then rounded to float. A product of two floats is
// exact in double, so that the result is the same with and without fused operations: it depends on
// the two vectors alone, on every machine.
float exact_dot(std::span<const float> a, std::span<const float> b);

struct ScoredRow {
  float score = 0;
  std::uint32_t row = 0;
};

// Higher scores first; of equal scores the lower row.
inline bool is_better(const ScoredRow& a, const ScoredRow& b) {
  return a.score > b.score || (a.score == b.score && a.row < b.row);
}

// The k best of the rows offered so far, in any order of offering. Scores must be numbers.
class BestRows {
 public:
  explicit BestRows(std::size_t k);

  // Below this score a row cannot enter any more.
  float threshold() const { return threshold_; }
  void offer(const ScoredRow& row);
  // Best first; nothing is left inside.
  std::vector<ScoredRow> take_sorted();

 private:
  std::size_t k_;
  float threshold_ = -std::numeric_limits<float>::infinity();
  std::vector<ScoredRow> heap_;  // the worst one on top
};

// Euclidean norms. Throws kInvalidArgument for a row with a value that is no finite number, or
// whose norm is so large that float products could overflow; `name` says which rows these are.
std::vector<float> checked_norms(const char* name, std::span<const float> rows,
                                 std::size_t dimension);

}  // namespace contra4
