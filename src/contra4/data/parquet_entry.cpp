// The one exported function of libcontra4_parquet.so; see parquet_module.h.
#include <fmt/format.h>

#include "contra4/data/item_stream.h"
#include "contra4/data/parquet_items.h"
#include "contra4/data/parquet_module.h"
#include "contra4/data/parquet_rows.h"
#include "contra4/io/json.h"

namespace contra4::data {

namespace {

class ParquetTable final : public TableReader {
 public:
  ParquetTable(const std::filesystem::path& path, const ReadLimits& limits)
      : what_(path.string()), rows_(path, limits) {}

  const std::vector<std::string>& columns() const override { return rows_.columns(); }
  std::uint64_t row() const override { return rows_.row(); }

  std::optional<Result<io::JsonValue>> next() override {
    const auto text = rows_.next();
    if (!text) return std::nullopt;
    if (!*text) {
      return Result<io::JsonValue>(
          Error{text->error().code, describe_row(what_, row(), {}, text->error().message)});
    }
    return io::parse_json(**text, fmt::format("{}: row {}", what_, row()));
  }

 private:
  std::string what_;
  ParquetRows rows_;
};

class Module final : public ParquetModule {
 public:
  std::unique_ptr<ItemReader> open_items(const std::filesystem::path& path,
                                         const ReadLimits& limits, Extras extras) const override {
    return open_parquet_items(path, limits, extras);
  }
  std::unique_ptr<TableReader> open_table(const std::filesystem::path& path,
                                          const ReadLimits& limits) const override {
    return std::make_unique<ParquetTable>(path, limits);
  }
  std::unique_ptr<ItemWriter> create_items(const std::filesystem::path& path,
                                           Schema schema) const override {
    return create_parquet_items(path, schema);
  }
};

}  // namespace
}  // namespace contra4::data

extern "C" const contra4::data::ParquetModule* contra4_parquet_module(int version) {
  static const contra4::data::Module module;
  return version == contra4::data::kParquetModuleVersion ? &module : nullptr;
}
