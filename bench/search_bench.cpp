// Searches the neighbours of some vectors among others, in pieces that alternate with the bare
// matrix products of the same blocks: one side of bench/search.py.
//
//   search_bench BASE.npy QUERIES.npy THREADS NUM_QUERIES K OUT [QUERY_BLOCK ROW_BLOCK]
//
// Queries are the first NUM_QUERIES rows. OUT gets the rows found, as uint32 [NUM_QUERIES, K].
#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <exception>
#include <fstream>
#include <functional>
#include <span>
#include <string>
#include <thread>
#include <vector>

#include <ATen/ops/from_blob.h>
#include <ATen/ops/mm.h>
#include <c10/core/InferenceMode.h>
#include <fmt/format.h>
#include <sys/resource.h>

#include "contra4/io/file.h"
#include "contra4/models/exact_search.h"
#include "contra4/tensor/thread_count.h"

namespace {

using contra4::models::ExactSearch;

constexpr std::size_t kDimension = 384;
constexpr std::size_t kHeaderBytes = 128;  // of the files that numpy writes for matrices like these
constexpr std::size_t kPieceBlocks = 4;    // query blocks of a piece, for each thread

std::span<const float> rows_of(const contra4::io::MappedFile& file) {
  const std::string_view bytes = file.bytes().substr(kHeaderBytes);
  return {reinterpret_cast<const float*>(bytes.data()), bytes.size() / sizeof(float)};
}

at::Tensor view(const float* values, std::size_t num_rows, std::size_t num_columns) {
  return at::from_blob(const_cast<float*>(values), {static_cast<std::int64_t>(num_rows),
                                                    static_cast<std::int64_t>(num_columns)});
}

// What the search cannot do without: each block of queries times each block of rows.
void multiply(std::span<const float> base, std::span<const float> queries, int num_threads,
              const ExactSearch::Options& blocks) {
  const std::size_t num_rows = base.size() / kDimension;
  const std::size_t num_queries = queries.size() / kDimension;
  std::atomic<std::size_t> next_query = 0;
  const auto work = [&] {
    const c10::InferenceMode no_gradients;
    const contra4::tensor::OpThreads one_thread(1);
    std::vector<float> scores(blocks.query_block * blocks.row_block);
    for (std::size_t query = 0; (query = next_query.fetch_add(blocks.query_block)) < num_queries;) {
      const std::size_t count = std::min(blocks.query_block, num_queries - query);
      const at::Tensor left = view(queries.data() + query * kDimension, count, kDimension);
      for (std::size_t row = 0; row < num_rows; row += blocks.row_block) {
        const std::size_t width = std::min(blocks.row_block, num_rows - row);
        at::Tensor product = view(scores.data(), count, width);
        at::mm_out(product, left, view(base.data() + row * kDimension, width, kDimension).t());
      }
    }
  };
  std::vector<std::jthread> others;
  for (int i = 1; i < num_threads; ++i) others.emplace_back(work);
  work();
}

// Wall and processor time; the latter tells more where the machine has other work as well.
struct Spent {
  double wall_s = 0;
  double processor_s = 0;

  void add(const std::function<void()>& action) {
    const auto start = std::chrono::steady_clock::now();
    const double processor_start = processor_seconds();
    action();
    wall_s += std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    processor_s += processor_seconds() - processor_start;
  }

 private:
  static double processor_seconds() {
    rusage usage{};
    getrusage(RUSAGE_SELF, &usage);
    const auto seconds = [](const timeval& time) {
      return static_cast<double>(time.tv_sec) + 1e-6 * static_cast<double>(time.tv_usec);
    };
    return seconds(usage.ru_utime) + seconds(usage.ru_stime);
  }
};

}  // namespace

int main(int argc, char** argv) {
  if (argc != 7 && argc != 9) {
    fmt::print(
        stderr,
        "usage: search_bench BASE QUERIES THREADS NUM_QUERIES K OUT [QUERY_BLOCK ROW_BLOCK]\n");
    return 2;
  }
  try {
    const contra4::io::MappedFile base_file(argv[1]);
    const contra4::io::MappedFile query_file(argv[2]);
    const std::span<const float> base = rows_of(base_file);
    const int num_threads = std::atoi(argv[3]);
    const std::size_t num_queries = std::min<std::size_t>(std::strtoul(argv[4], nullptr, 10),
                                                          rows_of(query_file).size() / kDimension);
    const std::span<const float> queries = rows_of(query_file).first(num_queries * kDimension);
    const std::size_t k = std::strtoul(argv[5], nullptr, 10);
    ExactSearch::Options options{.num_threads = num_threads};
    if (argc == 9) {
      options.query_block = std::strtoul(argv[7], nullptr, 10);
      options.row_block = std::strtoul(argv[8], nullptr, 10);
    }
    const ExactSearch search(options);

    // Both sides once, unmeasured: the files come into memory, the library warms up.
    const auto first =
        queries.first(std::min(queries.size(), 2 * options.query_block * kDimension));
    multiply(base, first, num_threads, options);
    (void)search.search(base, first, kDimension, k, {});

    const std::size_t piece =
        kPieceBlocks * options.query_block * static_cast<std::size_t>(num_threads);
    Spent searching;
    Spent multiplying;
    std::vector<std::uint32_t> rows;
    for (std::size_t begin = 0; begin < num_queries; begin += piece) {
      const auto of_piece =
          queries.subspan(begin * kDimension, std::min(piece, num_queries - begin) * kDimension);
      multiplying.add([&] { multiply(base, of_piece, num_threads, options); });
      searching.add([&] {
        const auto found = search.search(base, of_piece, kDimension, k, {});
        rows.insert(rows.end(), found.rows.begin(), found.rows.end());
      });
    }
    std::ofstream(argv[6], std::ios::binary)
        .write(reinterpret_cast<const char*>(rows.data()),
               static_cast<std::streamsize>(rows.size() * sizeof(rows[0])));
    rusage usage{};
    getrusage(RUSAGE_SELF, &usage);
    fmt::print(
        "{{\"queries\": {}, \"search_s\": {:.4f}, \"products_s\": {:.4f}, "
        "\"search_cpu_s\": {:.4f}, \"products_cpu_s\": {:.4f}, \"peak_mb\": {}}}\n",
        num_queries, searching.wall_s, multiplying.wall_s, searching.processor_s,
        multiplying.processor_s, usage.ru_maxrss / 1024);
  } catch (const std::exception& error) {
    fmt::print(stderr, "search_bench: {}\n", error.what());
    return 1;
  }
  return 0;
}
