// Any bytes as CSV, plain or gzip. A row that is given has as many fields as there are columns.
#include <cstdint>
#include <cstdlib>
#include <string>

#include "contra4/base/error.h"
#include "contra4/io/byte_source.h"
#include "contra4/io/csv.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  std::string text(reinterpret_cast<const char*>(bytes), size);
  try {
    contra4::io::CsvReader csv(
        contra4::io::bytes_in_memory(std::move(text), {.max_decompressed_bytes = 1U << 16}), "fuzz",
        256);
    while (const auto row = csv.next()) {
      if (*row && (**row)->size() != csv.columns().size()) std::abort();
    }
  } catch (const contra4::Exception&) {  // no header, damaged gzip
  }
  return 0;
}
