#include "contra4/data/parquet_rows.h"

#include <arrow/api.h>
#include <arrow/io/file.h>
#include <fmt/format.h>
#include <parquet/arrow/reader.h>
#include <parquet/properties.h>

#include "contra4/data/arrow_json.h"
#include "contra4/data/record_reader.h"
#include "contra4/io/json_writer.h"

namespace contra4::data {

namespace {

// Rows decoded at a time: memory follows these and a page per column, not the row group.
constexpr std::int64_t kBatchRows = 256;
constexpr std::int64_t kStreamBuffer = 1 << 16;

Error error_of(const arrow::Status& status) {
  if (status.IsOutOfMemory()) {
    return {ErrorCode::kResourceExhausted,
            fmt::format("a page needs more memory than the limit allows: {}", status.message())};
  }
  return {ErrorCode::kDataLoss, fmt::format("not a readable Parquet file: {}", status.message())};
}

}  // namespace

struct ParquetRows::State {
  explicit State(const ReadLimits& read_limits)
      : limits(read_limits),
        pool(arrow::default_memory_pool(), static_cast<std::int64_t>(read_limits.max_table_bytes)) {
  }

  arrow::Status open(const std::filesystem::path& path);
  // False at the end.
  Result<bool> next_batch();
  Result<std::string_view> write_row();

  ReadLimits limits;
  arrow::CappedMemoryPool pool;  // outlives all that allocates from it
  std::unique_ptr<parquet::arrow::FileReader> file;
  std::unique_ptr<arrow::RecordBatchReader> reader;
  std::shared_ptr<arrow::RecordBatch> batch;
  std::int64_t next_in_batch = 0;
  std::vector<std::string> columns;
  std::uint64_t row = 0;
  bool is_done = false;
  bool ended_early = false;
  std::string text;
};

arrow::Status ParquetRows::State::open(const std::filesystem::path& path) {
  parquet::ReaderProperties properties(&pool);
  properties.enable_buffered_stream();
  properties.set_buffer_size(kStreamBuffer);
  parquet::ArrowReaderProperties arrow_properties(/*use_threads=*/false);
  arrow_properties.set_batch_size(kBatchRows);
  arrow_properties.set_pre_buffer(false);
  ARROW_ASSIGN_OR_RAISE(auto input, arrow::io::ReadableFile::Open(path.string(), &pool));
  parquet::arrow::FileReaderBuilder builder;
  ARROW_RETURN_NOT_OK(builder.Open(std::move(input), properties));
  builder.memory_pool(&pool)->properties(arrow_properties);
  ARROW_ASSIGN_OR_RAISE(file, builder.Build());
  ARROW_ASSIGN_OR_RAISE(reader, file->GetRecordBatchReader());
  columns = reader->schema()->field_names();
  return arrow::Status::OK();
}

Result<bool> ParquetRows::State::next_batch() {
  next_in_batch = 0;
  do {
    // Arrow answers most damage with a status, some of Parquet's own code throws.
    try {
      const arrow::Status status = reader->ReadNext(&batch);
      if (!status.ok()) return error_of(status);
    } catch (const std::exception& exception) {
      return error_of(arrow::Status::IOError(exception.what()));
    }
  } while (batch != nullptr && batch->num_rows() == 0);
  return batch != nullptr;
}

Result<std::string_view> ParquetRows::State::write_row() {
  const std::int64_t index = next_in_batch++;
  io::JsonWriter json;
  json.begin_object();
  for (int i = 0; i < batch->num_columns(); ++i) {
    const std::string& name = columns[static_cast<std::size_t>(i)];
    json.key(name);
    try {
      write_cell(json, *batch->column(i), index);
    } catch (const Exception& exception) {
      return Error{exception.code(), fmt::format("column '{}': {}", name, exception.what())};
    }
    if (json.text().size() > limits.max_row_bytes) {
      return Error{
          ErrorCode::kResourceExhausted,
          fmt::format("the row has more than the limit of {} bytes", limits.max_row_bytes)};
    }
  }
  json.end_object();
  text = json.take();
  text.append(kRecordPadding, '\0');
  return std::string_view(text).substr(0, text.size() - kRecordPadding);
}

ParquetRows::ParquetRows(const std::filesystem::path& path, const ReadLimits& limits)
    : state_(std::make_unique<State>(limits)) {
  if (!std::filesystem::exists(path)) {
    throw Exception(ErrorCode::kNotFound, fmt::format("{}: no such file", path.string()));
  }
  const auto fail = [&](const arrow::Status& status) {
    const Error error = error_of(status);
    throw Exception(error.code, fmt::format("{}: {}", path.string(), error.message));
  };
  arrow::Status status;
  try {
    status = state_->open(path);
  } catch (const std::exception& exception) {
    status = arrow::Status::IOError(exception.what());
  }
  if (!status.ok()) fail(status);
}

ParquetRows::~ParquetRows() = default;

const std::vector<std::string>& ParquetRows::columns() const {
  return state_->columns;
}

std::uint64_t ParquetRows::row() const {
  return state_->row;
}

bool ParquetRows::ended_early() const {
  return state_->ended_early;
}

std::optional<Result<std::string_view>> ParquetRows::next() {
  State& state = *state_;
  if (state.is_done) return std::nullopt;
  if (state.batch == nullptr || state.next_in_batch == state.batch->num_rows()) {
    const auto has_rows = state.next_batch();
    if (!has_rows) {
      state.is_done = true;
      state.ended_early = true;
      ++state.row;
      return Result<std::string_view>(has_rows.error());
    }
    if (!*has_rows) {
      state.is_done = true;
      return std::nullopt;
    }
  }
  ++state.row;
  return state.write_row();
}

}  // namespace contra4::data
