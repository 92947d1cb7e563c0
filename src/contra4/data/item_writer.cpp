#include "contra4/data/item_writer.h"

#include <fmt/format.h>

#include "contra4/base/error.h"
#include "contra4/data/file_format.h"
#include "contra4/data/parquet_module.h"
#include "contra4/io/byte_sink.h"

namespace contra4::data {

namespace {

// One row a line in both: the list reads well in an editor and in `git diff`.
class ListWriter final : public ItemWriter {
 public:
  ListWriter(const std::filesystem::path& path, Schema schema)
      : sink_(io::create_bytes(path)), schema_(schema) {}

  void write(const Item& item) override {
    sink_->write(is_first_ ? "[\n" : ",\n");
    is_first_ = false;
    sink_->write(item_to_json(item, schema_));
  }
  void commit() override {
    sink_->write(is_first_ ? "[]\n" : "\n]\n");
    sink_->commit();
  }

 private:
  std::unique_ptr<io::ByteSink> sink_;
  Schema schema_;
  bool is_first_ = true;
};

class LinesWriter final : public ItemWriter {
 public:
  LinesWriter(const std::filesystem::path& path, Schema schema)
      : sink_(io::create_bytes(path)), schema_(schema) {}

  void write(const Item& item) override {
    sink_->write(item_to_json(item, schema_));
    sink_->write("\n");
  }
  void commit() override { sink_->commit(); }

 private:
  std::unique_ptr<io::ByteSink> sink_;
  Schema schema_;
};

}  // namespace

std::unique_ptr<ItemWriter> create_items(const std::filesystem::path& path, Schema schema) {
  switch (find_file_format(path).value_or(FileFormat::kCsv)) {
    case FileFormat::kJson:
      return std::make_unique<ListWriter>(path, schema);
    case FileFormat::kJsonLines:
      return std::make_unique<LinesWriter>(path, schema);
    case FileFormat::kParquet:
      if (path.extension() != ".gz") return parquet_module().create_items(path, schema);
      break;
    case FileFormat::kCsv:
      break;
  }
  throw Exception(ErrorCode::kInvalidArgument,
                  fmt::format("{}: the name must end in .json, .json.gz, .jsonl, .jsonl.gz or "
                              ".parquet",
                              path.string()));
}

}  // namespace contra4::data
