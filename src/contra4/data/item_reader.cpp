#include "contra4/data/item_reader.h"

#include <array>
#include <utility>

#include <fmt/format.h>

#include "contra4/data/file_format.h"
#include "contra4/data/item_parser.h"
#include "contra4/data/item_stream.h"
#include "contra4/data/parquet_module.h"

namespace contra4::data {

namespace {

constexpr std::array<std::pair<Schema, std::string_view>, 4> kSchemas = {{
    {Schema::kReadme, "readme"},
    {Schema::kReleasedTest, "released-test"},
    {Schema::kReleasedVal, "released-val"},
    {Schema::kGenerated, "generated"},
}};

class RecordItemReader final : public ItemReader {
 public:
  RecordItemReader(std::unique_ptr<RecordReader> records, std::string what, Extras extras)
      : records_(std::move(records)), what_(std::move(what)), parser_(extras) {}

  std::optional<Result<Item>> next() override {
    const auto record = records_->next();
    if (!record) return std::nullopt;
    if (!*record) {
      has_row_ = false;
      return Result<Item>(describe(record->error(), {}));
    }
    has_row_ = true;
    Result<Item> item = parser_.parse(**record);
    if (item) return item;
    Error error = item.error();
    if (error.code == ErrorCode::kDataLoss) {
      is_cut_ = records_->was_ended_by_file();
      if (is_cut_) {
        error.message =
            fmt::format("the file ends in the middle of a row; cut file? ({})", error.message);
      } else {
        error.code = ErrorCode::kInvalidArgument;  // of this row alone
      }
    }
    return Result<Item>(describe(error, parser_.id_text()));
  }

  std::uint64_t row() const override { return records_->row(); }
  const std::string& id_text() const override { return has_row_ ? parser_.id_text() : no_id_; }
  bool ended_early() const override { return is_cut_ || records_->ended_early(); }
  Schema schema() const override { return parser_.schema(); }

 private:
  Error describe(const Error& error, std::string_view id) const {
    return {error.code, describe_row(what_, row(), id, error.message)};
  }

  std::unique_ptr<RecordReader> records_;
  std::string what_;
  ItemParser parser_;
  std::string no_id_;
  bool has_row_ = false;
  bool is_cut_ = false;
};

}  // namespace

std::string_view to_string(Schema schema) {
  for (const auto& [value, name] : kSchemas) {
    if (value == schema) return name;
  }
  CONTRA4_CHECK(false, "schema out of range");
}

std::optional<Schema> parse_schema(std::string_view text) {
  for (const auto& [value, name] : kSchemas) {
    if (name == text) return value;
  }
  return std::nullopt;
}

std::string describe_row(std::string_view what, std::uint64_t row, std::string_view id,
                         std::string_view reason) {
  if (row == 0) return fmt::format("{}: {}", what, reason);
  if (id.empty()) return fmt::format("{}: row {}: {}", what, row, reason);
  return fmt::format("{}: row {} (id {:.80}): {}", what, row, id, reason);
}

std::unique_ptr<ItemReader> read_items(std::unique_ptr<io::ByteSource> source, RecordFormat format,
                                       std::string what, const ReadLimits& limits, Extras extras) {
  return std::make_unique<RecordItemReader>(
      read_records(std::move(source), format, limits.max_row_bytes), std::move(what), extras);
}

std::unique_ptr<ItemReader> open_items_observed(const std::filesystem::path& path,
                                                const ReadLimits& limits, Extras extras,
                                                io::ByteObserver observer) {
  const auto format = find_file_format(path);
  if (format == FileFormat::kParquet) {
    return parquet_module().open_items(path, limits, extras);
  }
  if (format != FileFormat::kJson && format != FileFormat::kJsonLines) {
    throw Exception(ErrorCode::kInvalidArgument,
                    fmt::format("{}: the name must end in .json, .json.gz, .jsonl, .jsonl.gz or "
                                ".parquet",
                                path.string()));
  }
  const io::ByteLimits byte_limits = {.max_decompressed_bytes = limits.max_decompressed_bytes,
                                      .max_compression_ratio = limits.max_compression_ratio};
  return read_items(io::open_bytes(path, byte_limits, std::move(observer)),
                    format == FileFormat::kJson ? RecordFormat::kList : RecordFormat::kLines,
                    path.string(), limits, extras);
}

std::unique_ptr<ItemReader> open_items(const std::filesystem::path& path, const ReadLimits& limits,
                                       Extras extras) {
  return open_items_observed(path, limits, extras, {});
}

}  // namespace contra4::data
