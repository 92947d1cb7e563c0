// Items from .json, .json.gz, .jsonl, .jsonl.gz and .parquet, one at a time: memory follows one
// row, not the file. All four published schemas are read, row by row, in any mixture.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "contra4/base/error.h"
#include "contra4/data/item.h"

namespace contra4::data {

// README: question, gt_answer "Scene B". Released test: question, answer "A", category. Released
// val: question, answer "Scene A". Generated: questions [..], answers [..], caption list or string.
enum class Schema { kReadme, kReleasedTest, kReleasedVal, kGenerated };
std::string_view to_string(
    Schema schema);  // "readme", "released-test", "released-val", "generated"
std::optional<Schema> parse_schema(std::string_view text);

struct ReadLimits {
  std::uint64_t max_row_bytes = 16U << 20;             // one record's JSON text
  std::uint64_t max_decompressed_bytes = 64ULL << 30;  // of a gzip file
  double max_compression_ratio = 1000;  // above it, after 64 MiB, a gzip file is a bomb
};

class ItemReader {
 public:
  virtual ~ItemReader() = default;

  // The next row: an item, or what is wrong with the row (message with file, row and id; reading
  // goes on with the row after it). Empty at the end. A file that ends in the middle of a row, or
  // whose container is damaged, gives one last kDataLoss.
  virtual std::optional<Result<Item>> next() = 0;

  // Of the row that next() returned last, from 1.
  virtual std::uint64_t row() const = 0;
  virtual Schema schema() const = 0;
};

// By suffix (.gz by content). Throws kNotFound, kInvalidArgument for a suffix nobody reads.
std::unique_ptr<ItemReader> open_items(const std::filesystem::path& path,
                                       const ReadLimits& limits = {});

// What an item must have for the use at hand, beyond being well-formed.
struct ItemRequirements {
  bool answer = false;    // a gold answer
  bool captions = false;  // a caption for every scene
};

// A whole set in memory. `name` is the file name without suffixes; `sha256` of the file's bytes.
struct Dataset {
  std::string name;
  std::string sha256;
  std::vector<Item> items;
};

// Throws kInvalidArgument naming the first wrong rows (file, row, id, reason; at most ten of them
// and their number); duplicate item ids are wrong rows too.
Dataset load_dataset(const std::filesystem::path& path, const ItemRequirements& requirements = {},
                     const ReadLimits& limits = {});

}  // namespace contra4::data
