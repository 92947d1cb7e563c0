// One cell of an Arrow array as JSON. Part of the Parquet module only.
#pragma once

#include <cstdint>

#include "contra4/io/json_writer.h"

namespace arrow {
class Array;
}

namespace contra4::data {

// Null, booleans, numbers, text (binary columns too), lists, structs and maps as what JSON has for
// them; any other type as its text. Numbers that JSON does not have (NaN) become null. Throws
// kInvalidArgument for text that is not UTF-8 and for nesting deeper than 32.
void write_cell(io::JsonWriter& json, const arrow::Array& array, std::int64_t index);

}  // namespace contra4::data
