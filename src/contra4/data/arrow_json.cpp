#include "contra4/data/arrow_json.h"

#include <string_view>

#include <arrow/api.h>
#include <fmt/format.h>
#include <simdjson.h>

#include "contra4/base/error.h"

namespace contra4::data {

namespace {

constexpr int kMaxDepth = 32;

void write_value(io::JsonWriter& json, const arrow::Array& array, std::int64_t index, int depth);

void write_text(io::JsonWriter& json, std::string_view text) {
  if (!simdjson::validate_utf8(text)) {
    throw Exception(ErrorCode::kInvalidArgument, "text that is not valid UTF-8");
  }
  json.value(text);
}

void write_range(io::JsonWriter& json, const arrow::Array& values, std::int64_t begin,
                 std::int64_t end, int depth) {
  json.begin_array();
  for (std::int64_t i = begin; i < end; ++i) write_value(json, values, i, depth + 1);
  json.end_array();
}

void write_struct(io::JsonWriter& json, const arrow::StructArray& array, std::int64_t index,
                  int depth) {
  json.begin_object();
  for (int i = 0; i < array.num_fields(); ++i) {
    json.key(array.struct_type()->field(i)->name());
    write_value(json, *array.field(i), index, depth + 1);
  }
  json.end_object();
}

template <class Array>
void write_list(io::JsonWriter& json, const arrow::Array& array, std::int64_t index, int depth) {
  const auto& list = static_cast<const Array&>(array);
  const std::int64_t begin = list.value_offset(index);
  write_range(json, *list.values(), begin, begin + list.value_length(index), depth);
}

template <class Array>
void write_number(io::JsonWriter& json, const arrow::Array& array, std::int64_t index) {
  json.value(static_cast<const Array&>(array).Value(index));
}

template <class Array>
void write_view(io::JsonWriter& json, const arrow::Array& array, std::int64_t index) {
  write_text(json, static_cast<const Array&>(array).GetView(index));
}

void write_other(io::JsonWriter& json, const arrow::Array& array, std::int64_t index) {
  const auto scalar = array.GetScalar(index);
  if (!scalar.ok()) {
    throw Exception(ErrorCode::kInvalidArgument, scalar.status().ToString());
  }
  write_text(json, (*scalar)->ToString());
}

void write_value(io::JsonWriter& json, const arrow::Array& array, std::int64_t index, int depth) {
  if (depth > kMaxDepth) {
    throw Exception(ErrorCode::kInvalidArgument, "nested too deeply");
  }
  if (array.IsNull(index)) {
    json.null();
    return;
  }
  switch (array.type_id()) {
    case arrow::Type::BOOL:
      json.value(static_cast<const arrow::BooleanArray&>(array).Value(index));
      return;
    case arrow::Type::INT8:
      return write_number<arrow::Int8Array>(json, array, index);
    case arrow::Type::INT16:
      return write_number<arrow::Int16Array>(json, array, index);
    case arrow::Type::INT32:
      return write_number<arrow::Int32Array>(json, array, index);
    case arrow::Type::INT64:
      return write_number<arrow::Int64Array>(json, array, index);
    case arrow::Type::UINT8:
      return write_number<arrow::UInt8Array>(json, array, index);
    case arrow::Type::UINT16:
      return write_number<arrow::UInt16Array>(json, array, index);
    case arrow::Type::UINT32:
      return write_number<arrow::UInt32Array>(json, array, index);
    case arrow::Type::UINT64:
      return write_number<arrow::UInt64Array>(json, array, index);
    case arrow::Type::FLOAT:
      json.value(static_cast<double>(static_cast<const arrow::FloatArray&>(array).Value(index)));
      return;
    case arrow::Type::DOUBLE:
      return write_number<arrow::DoubleArray>(json, array, index);
    case arrow::Type::STRING:
      return write_view<arrow::StringArray>(json, array, index);
    case arrow::Type::LARGE_STRING:
      return write_view<arrow::LargeStringArray>(json, array, index);
    case arrow::Type::STRING_VIEW:
      return write_view<arrow::StringViewArray>(json, array, index);
    case arrow::Type::BINARY:
      return write_view<arrow::BinaryArray>(json, array, index);
    case arrow::Type::LARGE_BINARY:
      return write_view<arrow::LargeBinaryArray>(json, array, index);
    case arrow::Type::LIST:
    case arrow::Type::MAP:
      return write_list<arrow::ListArray>(json, array, index, depth);
    case arrow::Type::LARGE_LIST:
      return write_list<arrow::LargeListArray>(json, array, index, depth);
    case arrow::Type::FIXED_SIZE_LIST:
      return write_list<arrow::FixedSizeListArray>(json, array, index, depth);
    case arrow::Type::STRUCT:
      return write_struct(json, static_cast<const arrow::StructArray&>(array), index, depth);
    case arrow::Type::DICTIONARY: {
      const auto& dictionary = static_cast<const arrow::DictionaryArray&>(array);
      return write_value(json, *dictionary.dictionary(), dictionary.GetValueIndex(index),
                         depth + 1);
    }
    default:
      write_other(json, array, index);
  }
}

}  // namespace

void write_cell(io::JsonWriter& json, const arrow::Array& array, std::int64_t index) {
  write_value(json, array, index, 0);
}

}  // namespace contra4::data
