// Any table of records, row by row: corpora and captions as they are found in the world.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "contra4/base/error.h"
#include "contra4/data/item_reader.h"
#include "contra4/io/json.h"

namespace contra4::data {

class TableReader {
 public:
  virtual ~TableReader() = default;

  // Of .csv and .parquet, in the order of the file; empty for JSON, whose rows each name their own.
  virtual const std::vector<std::string>& columns() const = 0;

  // The next row as an object, or what is wrong with it (file, row, reason; reading goes on where
  // the file allows it). Fields of .csv are strings; cells of .parquet are what JSON has for them,
  // dates and other types their text. Empty at the end.
  virtual std::optional<Result<io::JsonValue>> next() = 0;

  // Of the row that next() returned last, from 1; in .jsonl the number of the line.
  virtual std::uint64_t row() const = 0;
};

// .csv, .json (list of objects), .jsonl, each also with .gz, and .parquet. Throws kNotFound,
// kInvalidArgument for another suffix.
std::unique_ptr<TableReader> open_table(const std::filesystem::path& path,
                                        const ReadLimits& limits = {});

}  // namespace contra4::data
