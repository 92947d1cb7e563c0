// Items from .json, .json.gz, .jsonl, .jsonl.gz and .parquet, one at a time: memory follows one
// row, not the file. All four published schemas are read, row by row, in any mixture.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "contra4/base/error.h"
#include "contra4/data/item.h"
#include "contra4/data/record_reader.h"
#include "contra4/io/byte_source.h"

namespace contra4::data {

// README: question, gt_answer "Scene B". Released test: question, answer "A", category. Released
// val: question, answer "Scene A". Generated: questions [..], answers [..], caption list or string.
enum class Schema { kReadme, kReleasedTest, kReleasedVal, kGenerated };
// "readme", "released-test", "released-val", "generated".
std::string_view to_string(Schema schema);
std::optional<Schema> parse_schema(std::string_view text);

struct ReadLimits {
  // One record's JSON text. A row of the published sets has 1.3 kB, a generated one with its prompt
  // and answers 10 kB; reading one takes up to 14 times its size.
  std::uint64_t max_row_bytes = 4U << 20;
  std::uint64_t max_decompressed_bytes = 64ULL << 30;  // of a gzip file
  double max_compression_ratio = 1000;         // above it, after 64 MiB, a gzip file is a bomb
  std::uint64_t max_table_bytes = 1ULL << 30;  // memory for the pages of a Parquet file at a time
};

// Whether Item::extra and Scene::extra are filled: who does not write the item again reads faster
// without.
enum class Extras { kKeep, kDrop };

class ItemReader {
 public:
  virtual ~ItemReader() = default;

  // The next row: an item, or what is wrong with the row (message with file, row and id; reading
  // goes on with the row after it). Empty at the end. A file that ends in the middle of a row, or
  // whose container is damaged, gives one last kDataLoss; a gzip bomb one last kResourceExhausted.
  // An item may have any number of scenes up to 26 and lack its answer or captions, and without an
  // answer its question: see find_problems in dataset_check.h.
  virtual std::optional<Result<Item>> next() = 0;

  // Of the row that next() returned last, from 1; in .jsonl the number of the line.
  virtual std::uint64_t row() const = 0;
  // The id of that row as text, empty when it could not be read.
  virtual const std::string& id_text() const = 0;
  // True once an error has ended the reading: rows may have stayed unseen.
  virtual bool ended_early() const = 0;
  virtual Schema schema() const = 0;
};

// By suffix (.gz by content). Throws kNotFound, kInvalidArgument for a suffix nobody reads.
std::unique_ptr<ItemReader> open_items(const std::filesystem::path& path,
                                       const ReadLimits& limits = {},
                                       Extras extras = Extras::kKeep);
// JSON list or JSON lines from any source, plain or unfolded already; `what` names it in messages.
std::unique_ptr<ItemReader> read_items(std::unique_ptr<io::ByteSource> source, RecordFormat format,
                                       std::string what, const ReadLimits& limits = {},
                                       Extras extras = Extras::kKeep);

// What an item must have for the use at hand, beyond being well-formed.
struct ItemRequirements {
  bool answer = false;    // a gold answer
  bool captions = false;  // a caption for every scene
  bool question = true;   // off for tuples
};

// A whole set in memory. `name` is the file name without suffixes; `sha256` of the file's bytes.
struct Dataset {
  std::string name;
  std::string sha256;
  std::vector<Item> items;
};

// Throws kInvalidArgument naming the first wrong rows (file, row, id, reason; at most ten of them
// and their number): malformed ones, those with fewer than kMinScenes or more than kMaxScenes
// scenes, those that lack what is required, and those whose id occurred before.
Dataset load_dataset(const std::filesystem::path& path, const ItemRequirements& requirements = {},
                     const ReadLimits& limits = {});

}  // namespace contra4::data
