#include "contra4/inference/neighbor_search.h"

#include <algorithm>
#include <atomic>
#include <limits>
#include <thread>

#include "contra4/base/error.h"
#include "contra4/inference/best_rows.h"

namespace contra4 {

namespace {

class PortableSearch final : public NeighborSearch {
 public:
  explicit PortableSearch(int num_threads)
      : num_threads_(num_threads > 0 ? static_cast<std::size_t>(num_threads)
                                     : std::max(1U, std::thread::hardware_concurrency())) {}

  Neighbors search(std::span<const float> base, std::span<const float> queries,
                   std::size_t dimension, std::size_t k, std::stop_token stop) const override {
    checked_norms("searched rows", base, dimension);
    checked_norms("queries", queries, dimension);
    const std::size_t num_rows = base.size() / dimension;
    const std::size_t num_queries = queries.size() / dimension;
    CONTRA4_CHECK(num_rows <= std::numeric_limits<std::uint32_t>::max(), "too many rows");

    Neighbors found;
    found.k = std::min(k, num_rows);
    found.rows.resize(num_queries * found.k);
    found.scores.resize(num_queries * found.k);
    // Queries are taken in order and each one taken is finished: what is done is always the front.
    std::atomic<std::size_t> next_query = 0;
    const auto work = [&] {
      while (!stop.stop_requested()) {
        const std::size_t query = next_query++;
        if (query >= num_queries) return;
        BestRows best(found.k);
        for (std::size_t row = 0; row < num_rows; ++row) {
          const float score = exact_dot(queries.subspan(query * dimension, dimension),
                                        base.subspan(row * dimension, dimension));
          if (score >= best.threshold()) best.offer({score, static_cast<std::uint32_t>(row)});
        }
        std::size_t place = query * found.k;
        for (const ScoredRow& entry : best.take_sorted()) {
          found.rows[place] = entry.row;
          found.scores[place++] = entry.score;
        }
      }
    };
    {
      std::vector<std::jthread> others;
      for (std::size_t i = 1; i < std::min(num_threads_, num_queries); ++i)
        others.emplace_back(work);
      work();
    }
    const std::size_t num_done = std::min(next_query.load(), num_queries);
    found.rows.resize(num_done * found.k);
    found.scores.resize(num_done * found.k);
    return found;
  }

 private:
  std::size_t num_threads_;
};

}  // namespace

std::unique_ptr<NeighborSearch> make_portable_neighbor_search(int num_threads) {
  return std::make_unique<PortableSearch>(num_threads);
}

}  // namespace contra4
