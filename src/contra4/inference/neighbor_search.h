// Exact nearest neighbours by dot product.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <stop_token>
#include <vector>

namespace contra4 {

// For each query the `k` best rows, best first; of equal scores the lower row first.
struct Neighbors {
  std::size_t k = 0;                // asked for, or the number of rows where that is less
  std::vector<std::uint32_t> rows;  // [num_queries, k]
  std::vector<float> scores;        // [num_queries, k]

  std::size_t num_queries() const { return k == 0 ? 0 : rows.size() / k; }
};

// Every implementation gives the same bits: a score is exact_dot() of best_rows.h, whatever finds
// the rows. So a query's neighbours depend neither on the other queries nor on threads or machine.
class NeighborSearch {
 public:
  virtual ~NeighborSearch() = default;
  // `base` is [n, dimension], `queries` [q, dimension], float32, row-major. Uses all cores. When a
  // stop is asked for, returns early with the first queries of those asked for, maybe none. Throws
  // kInvalidArgument for vectors with values that are no finite numbers.
  virtual Neighbors search(std::span<const float> base, std::span<const float> queries,
                           std::size_t dimension, std::size_t k, std::stop_token stop) const = 0;
};

// Row by row without libtorch, some fifty times slower than TorchModule::make_neighbor_search():
// for tests, small corpora and builds without torch. 0 threads: all cores.
std::unique_ptr<NeighborSearch> make_portable_neighbor_search(int num_threads = 0);

}  // namespace contra4
