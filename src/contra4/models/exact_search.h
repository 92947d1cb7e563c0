// Exact nearest neighbours by blocked matrix products.
#pragma once

#include <cstddef>
#include <span>
#include <stop_token>

#include "contra4/inference/neighbor_search.h"

namespace contra4::models {

// Products are computed block by block, one thread each, into a buffer that stays in the cache and
// is scanned there, so that memory is some 1 MB a thread beside the result whatever the sizes.
// A single-precision score only nominates: rows that could be among the best, given how far such a
// sum can be off, are scored again by exact_dot(), and that score decides. The size of the blocks
// and the number of threads change no bit of the result.
class ExactSearch final : public NeighborSearch {
 public:
  struct Options {
    int num_threads = 0;            // 0: all cores
    std::size_t query_block = 256;  // queries and rows of one product
    std::size_t row_block = 512;
  };
  explicit ExactSearch(const Options& options);

  Neighbors search(std::span<const float> base, std::span<const float> queries,
                   std::size_t dimension, std::size_t k, std::stop_token stop) const override;

 private:
  Options options_;
};

}  // namespace contra4::models
