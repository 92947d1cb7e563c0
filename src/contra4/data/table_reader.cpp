#include "contra4/data/table_reader.h"

#include <utility>

#include <fmt/format.h>

#include "contra4/data/file_format.h"
#include "contra4/data/item_stream.h"
#include "contra4/data/parquet_module.h"
#include "contra4/data/record_reader.h"
#include "contra4/io/csv.h"

namespace contra4::data {

namespace {

class CsvTable final : public TableReader {
 public:
  explicit CsvTable(io::CsvReader csv) : csv_(std::move(csv)) {}

  const std::vector<std::string>& columns() const override { return csv_.columns(); }
  std::uint64_t row() const override { return csv_.row(); }

  std::optional<Result<io::JsonValue>> next() override {
    const auto fields = csv_.next();
    if (!fields) return std::nullopt;
    if (!*fields) return Result<io::JsonValue>(fields->error());
    io::JsonValue::Object object;
    object.reserve(columns().size());
    for (std::size_t i = 0; i < columns().size(); ++i) {
      object.emplace_back(columns()[i], io::JsonValue((***fields)[i]));
    }
    return Result<io::JsonValue>(io::JsonValue(std::move(object)));
  }

 private:
  io::CsvReader csv_;
};

class RecordTable final : public TableReader {
 public:
  RecordTable(std::unique_ptr<RecordReader> records, std::string what)
      : records_(std::move(records)), what_(std::move(what)) {}

  const std::vector<std::string>& columns() const override { return columns_; }
  std::uint64_t row() const override { return records_->row(); }

  std::optional<Result<io::JsonValue>> next() override {
    const auto record = records_->next();
    if (!record) return std::nullopt;
    if (!*record) {
      return Result<io::JsonValue>(
          Error{record->error().code, describe_row(what_, row(), {}, record->error().message)});
    }
    Result<io::JsonValue> value = io::parse_json(**record, fmt::format("{}: row {}", what_, row()));
    if (value && !value->is_object()) {
      return Result<io::JsonValue>(
          Error{ErrorCode::kInvalidArgument, describe_row(what_, row(), {}, "not an object")});
    }
    return value;
  }

 private:
  std::unique_ptr<RecordReader> records_;
  std::string what_;
  std::vector<std::string> columns_;
};

}  // namespace

std::unique_ptr<TableReader> open_table(const std::filesystem::path& path,
                                        const ReadLimits& limits) {
  const auto format = find_file_format(path);
  if (!format) {
    throw Exception(ErrorCode::kInvalidArgument,
                    fmt::format("{}: the name must end in .csv, .json, .jsonl (or these with .gz) "
                                "or .parquet",
                                path.string()));
  }
  if (*format == FileFormat::kParquet) return parquet_module().open_table(path, limits);
  auto bytes = io::open_bytes(path, {.max_decompressed_bytes = limits.max_decompressed_bytes,
                                     .max_compression_ratio = limits.max_compression_ratio});
  if (*format == FileFormat::kCsv) {
    return std::make_unique<CsvTable>(
        io::CsvReader(std::move(bytes), path.string(), limits.max_row_bytes));
  }
  const RecordFormat records =
      *format == FileFormat::kJson ? RecordFormat::kList : RecordFormat::kLines;
  return std::make_unique<RecordTable>(
      read_records(std::move(bytes), records, limits.max_row_bytes), path.string());
}

}  // namespace contra4::data
