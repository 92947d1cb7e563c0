#include "contra4/data/parquet_module.h"

#include "contra4/base/error.h"
#include "contra4/base/shared_module.h"

namespace contra4::data {

const ParquetModule& parquet_module() {
  static const ParquetModule* const module = [] {
    void* address =
        open_module_symbol("contra4_parquet", kParquetModuleEntry, "CONTRA4_WITH_PARQUET");
    const auto entry = reinterpret_cast<ParquetModuleEntry>(address);
    const ParquetModule* opened = entry(kParquetModuleVersion);
    if (opened == nullptr) {
      throw Exception(ErrorCode::kInternal,
                      "libcontra4_parquet.so is of another build; build anew with `make build`");
    }
    return opened;
  }();
  return *module;
}

}  // namespace contra4::data
