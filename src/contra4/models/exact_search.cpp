#include "contra4/models/exact_search.h"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstdint>
#include <exception>
#include <limits>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include <ATen/ops/from_blob.h>
#include <ATen/ops/mm.h>
#include <c10/core/InferenceMode.h>
#include <c10/util/Exception.h>
#include <fmt/format.h>

#include "contra4/base/error.h"
#include "contra4/inference/best_rows.h"
#include "contra4/tensor/thread_count.h"

namespace contra4::models {

namespace {

// Tasks a thread gets at least: enough that none waits long for the last one.
constexpr std::size_t kTasksPerThread = 4;

std::size_t divide_up(std::size_t a, std::size_t b) {
  return (a + b - 1) / b;
}

struct Range {
  std::size_t begin = 0;
  std::size_t end = 0;
  std::size_t size() const { return end - begin; }
};

// The index-th of `count` nearly equal parts of `total` blocks of `block` things.
Range part(std::size_t total, std::size_t block, std::size_t index, std::size_t count) {
  const std::size_t num_blocks = divide_up(total, block);
  return {std::min(total, num_blocks * index / count * block),
          std::min(total, num_blocks * (index + 1) / count * block)};
}

at::Tensor view(const float* values, std::size_t num_rows, std::size_t num_columns) {
  // Only read, or written by its owner.
  // NOLINTNEXTLINE(cppcoreguidelines-pro-type-const-cast): from_blob() knows no constant memory
  auto* const memory = const_cast<float*>(values);
  return at::from_blob(
      memory, {static_cast<std::int64_t>(num_rows), static_cast<std::int64_t>(num_columns)},
      at::kFloat);
}

// How far a sum of `dimension` products in single precision, added in any order, can be from the
// exact one. Source: Higham, "Accuracy and Stability of Numerical Algorithms", 2002, section 3.1;
// doubled, which covers the rounding of the norms and of this bound itself.
float rounding_bound(std::size_t dimension, float norm_a, float norm_b) {
  constexpr double kUnit = 0x1p-24;
  const auto terms = static_cast<double>(dimension + 1);
  return static_cast<float>(2 * terms *
                            (kUnit * norm_a * norm_b + std::numeric_limits<float>::min()));
}

// One call of search(), shared by its threads.
class Run {
 public:
  Run(const ExactSearch::Options& options, std::span<const float> base,
      std::span<const float> queries, std::size_t dimension, std::size_t k, std::stop_token stop)
      : options_(options),
        base_(base),
        queries_(queries),
        dimension_(dimension),
        num_rows_(base.size() / dimension),
        num_queries_(queries.size() / dimension),
        stop_(std::move(stop)) {
    found_.k = std::min(k, num_rows_);
    found_.rows.resize(num_queries_ * found_.k);
    found_.scores.resize(num_queries_ * found_.k);

    const std::vector<float> base_norms = checked_norms("searched rows", base, dimension);
    const float largest = base_norms.empty() ? 0 : std::ranges::max(base_norms);
    for (const float norm : checked_norms("queries", queries, dimension)) {
      bounds_.push_back(rounding_bound(dimension, norm, largest));
    }
    num_threads_ = static_cast<std::size_t>(tensor::resolve_num_threads(options.num_threads));
    num_query_blocks_ = divide_up(num_queries_, options.query_block);
    num_segments_ = num_query_blocks_ == 0
                        ? 1
                        : std::clamp(divide_up(kTasksPerThread * num_threads_, num_query_blocks_),
                                     std::size_t{1},
                                     std::max(std::size_t{1}, num_rows_ / (4 * options.row_block)));
    blocks_ = std::vector<QueryBlock>(num_query_blocks_);
  }

  Neighbors run() {
    const std::size_t num_tasks = found_.k == 0 ? 0 : num_query_blocks_ * num_segments_;
    {
      std::vector<std::jthread> others;
      for (std::size_t i = 1; i < std::min(num_threads_, num_tasks); ++i) {
        others.emplace_back([this, num_tasks] { work(num_tasks); });
      }
      work(num_tasks);
    }
    if (failure_) std::rethrow_exception(failure_);
    std::size_t num_done = 0;
    while (num_done < num_query_blocks_ && blocks_[num_done].num_segments_done == num_segments_) {
      ++num_done;
    }
    const std::size_t num_whole = std::min(num_queries_, num_done * options_.query_block);
    found_.rows.resize(num_whole * found_.k);
    found_.scores.resize(num_whole * found_.k);
    return std::move(found_);
  }

 private:
  struct QueryBlock {
    std::mutex mutex;
    std::vector<BestRows> best;  // of the segments done so far
    std::size_t num_segments_done = 0;
  };

  void work(std::size_t num_tasks) {
    const c10::InferenceMode no_gradients;
    const tensor::OpThreads one_thread(1);
    try {
      std::vector<float> scores(options_.query_block * options_.row_block);
      for (std::size_t task = next_task_++; task < num_tasks && !stop_.stop_requested();
           task = next_task_++) {
        const std::size_t block = task / num_segments_;
        std::vector<BestRows> best;
        if (!search_segment(block, task % num_segments_, scores, best)) return;
        add(block, std::move(best));
      }
    } catch (...) {
      const std::lock_guard lock(failure_mutex_);
      if (!failure_) failure_ = std::current_exception();
      next_task_ = num_tasks;
    }
  }

  Range queries_of(std::size_t block) const {
    const std::size_t begin = block * options_.query_block;
    return {begin, std::min(num_queries_, begin + options_.query_block)};
  }

  // False when a stop was asked for.
  bool search_segment(std::size_t block, std::size_t segment, std::vector<float>& scores,
                      std::vector<BestRows>& best) const {
    const Range queries = queries_of(block);
    best.assign(queries.size(), BestRows(found_.k));
    const Range rows = part(num_rows_, options_.row_block, segment, num_segments_);
    const at::Tensor left =
        view(queries_.data() + queries.begin * dimension_, queries.size(), dimension_);
    for (std::size_t begin = rows.begin; begin < rows.end; begin += options_.row_block) {
      if (stop_.stop_requested()) return false;
      const std::size_t count = std::min(options_.row_block, rows.end - begin);
      at::Tensor product = view(scores.data(), queries.size(), count);
      at::mm_out(product, left, view(base_.data() + begin * dimension_, count, dimension_).t());
      for (std::size_t i = 0; i < queries.size(); ++i) {
        scan(queries.begin + i, begin, std::span(scores).subspan(i * count, count), best[i]);
      }
    }
    return true;
  }

  // `scores` of the rows from `first_row` on.
  void scan(std::size_t query, std::size_t first_row, std::span<const float> scores,
            BestRows& best) const {
    constexpr std::size_t kLanes = 32;
    const float bound = bounds_[query];
    float least = best.threshold() - bound;
    const auto look_at = [&](std::size_t i) {
      if (scores[i] < least) return;
      const std::size_t row = first_row + i;
      const ScoredRow entry = {exact_dot(queries_.subspan(query * dimension_, dimension_),
                                         base_.subspan(row * dimension_, dimension_)),
                               static_cast<std::uint32_t>(row)};
      if (entry.score < best.threshold()) return;
      best.offer(entry);
      least = best.threshold() - bound;
    };
    std::size_t i = 0;
    for (; i + kLanes <= scores.size(); i += kLanes) {
      const float* lanes = scores.data() + i;
      int num_candidates = 0;
      for (std::size_t lane = 0; lane < kLanes; ++lane) num_candidates += lanes[lane] >= least;
      if (num_candidates == 0) continue;
      for (std::size_t lane = 0; lane < kLanes; ++lane) look_at(i + lane);
    }
    for (; i < scores.size(); ++i) look_at(i);
  }

  void add(std::size_t block, std::vector<BestRows> best) {
    QueryBlock& to = blocks_[block];
    const std::lock_guard lock(to.mutex);
    if (to.best.empty()) {
      to.best = std::move(best);
    } else {
      for (std::size_t i = 0; i < best.size(); ++i) {
        for (const ScoredRow& entry : best[i].take_sorted()) to.best[i].offer(entry);
      }
    }
    if (++to.num_segments_done < num_segments_) return;
    std::size_t place = queries_of(block).begin * found_.k;
    for (BestRows& of_query : to.best) {
      for (const ScoredRow& entry : of_query.take_sorted()) {
        found_.rows[place] = entry.row;
        found_.scores[place++] = entry.score;
      }
    }
    to.best = {};
  }

  const ExactSearch::Options options_;
  const std::span<const float> base_;
  const std::span<const float> queries_;
  const std::size_t dimension_;
  const std::size_t num_rows_;
  const std::size_t num_queries_;
  const std::stop_token stop_;
  std::size_t num_threads_ = 1;
  std::size_t num_query_blocks_ = 0;
  std::size_t num_segments_ = 1;  // parts of the rows, so that few queries keep all threads busy
  std::vector<float> bounds_;     // of each query
  Neighbors found_;
  std::vector<QueryBlock> blocks_;
  std::atomic<std::size_t> next_task_ = 0;
  std::mutex failure_mutex_;
  std::exception_ptr failure_;
};

}  // namespace

ExactSearch::ExactSearch(const Options& options) : options_(options) {
  tensor::resolve_num_threads(options.num_threads);
  CONTRA4_CHECK(options.query_block > 0 && options.row_block > 0, "blocks hold at least one row");
}

Neighbors ExactSearch::search(std::span<const float> base, std::span<const float> queries,
                              std::size_t dimension, std::size_t k, std::stop_token stop) const {
  CONTRA4_CHECK(dimension > 0 && base.size() % dimension == 0 && queries.size() % dimension == 0,
                "rows of one dimension");
  CONTRA4_CHECK(base.size() / dimension <= std::numeric_limits<std::uint32_t>::max(),
                "rows are numbered in 32 bits");
  try {
    return Run(options_, base, queries, dimension, k, std::move(stop)).run();
  } catch (const c10::Error& error) {
    throw Exception(ErrorCode::kInternal,
                    fmt::format("[search] {}", error.what_without_backtrace()));
  }
}

}  // namespace contra4::models
