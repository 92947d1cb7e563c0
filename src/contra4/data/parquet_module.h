// The door to Parquet, which lives in a shared module of its own: loading libarrow costs some
// 26 ms, more than most commands run. Arrow's types stay behind it.
#pragma once

#include <filesystem>
#include <memory>

#include "contra4/data/item_reader.h"
#include "contra4/data/item_writer.h"
#include "contra4/data/table_reader.h"

namespace contra4::data {

class ParquetModule {
 public:
  virtual ~ParquetModule() = default;
  // All throw kNotFound, or kDataLoss for a file that is no Parquet.
  virtual std::unique_ptr<ItemReader> open_items(const std::filesystem::path& path,
                                                 const ReadLimits& limits, Extras extras) const = 0;
  virtual std::unique_ptr<TableReader> open_table(const std::filesystem::path& path,
                                                  const ReadLimits& limits) const = 0;
  virtual std::unique_ptr<ItemWriter> create_items(const std::filesystem::path& path,
                                                   Schema schema) const = 0;
};

// Opens the module at the first call. Throws kUnimplemented where it was not built.
const ParquetModule& parquet_module();

// The module exports one function of this type under this name. The number changes with any header
// above, so that a program never opens a module of another build.
inline constexpr int kParquetModuleVersion = 1;
inline constexpr char kParquetModuleEntry[] = "contra4_parquet_module";
using ParquetModuleEntry = const ParquetModule* (*)(int version);  // null for another version

}  // namespace contra4::data
