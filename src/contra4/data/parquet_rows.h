// The rows of a Parquet file as JSON objects. Part of the Parquet module only.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "contra4/base/error.h"
#include "contra4/data/item_reader.h"

namespace contra4::data {

class ParquetRows {
 public:
  // Throws kNotFound, kDataLoss.
  ParquetRows(const std::filesystem::path& path, const ReadLimits& limits);
  ~ParquetRows();
  ParquetRows(const ParquetRows&) = delete;
  ParquetRows& operator=(const ParquetRows&) = delete;

  const std::vector<std::string>& columns() const;

  // The next row's JSON text with kRecordPadding readable bytes behind it, valid until the next
  // call. kInvalidArgument for a row with text that is not UTF-8, kResourceExhausted for one above
  // the row limit (reading goes on); kDataLoss for a damaged file or kResourceExhausted for pages
  // above the memory limit (reading ends). Messages carry no file and row.
  std::optional<Result<std::string_view>> next();
  std::uint64_t row() const;
  // True once an error has ended the reading.
  bool ended_early() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace contra4::data
