#include "contra4/io/safetensors.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <limits>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "contra4/io/json.h"
#include "contra4/io/shown_name.h"

namespace contra4::io {

namespace {

static_assert(std::endian::native == std::endian::little,
              "tensors are used as they lie in the file");

constexpr std::uint64_t kPrefixBytes = 8;  // the length of the header
constexpr std::size_t kMaxDimensions = 64;

// a * b, or nothing when that is more than 63 bits.
std::optional<std::uint64_t> product(std::uint64_t a, std::uint64_t b) {
  std::uint64_t result = 0;
  if (__builtin_mul_overflow(a, b, &result)) return std::nullopt;
  if (result > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max())) {
    return std::nullopt;
  }
  return result;
}

// A whole number of the header that is not negative.
std::optional<std::uint64_t> find_size(const JsonValue* value) {
  const auto number = value == nullptr ? std::nullopt : value->find_integer();
  if (!number || *number < 0) return std::nullopt;
  return static_cast<std::uint64_t>(*number);
}

class HeaderParser {
 public:
  HeaderParser(std::string_view file, std::string_view what) : file_(file), what_(what) {}

  Result<SafetensorsHeader> parse() {
    auto text = header_text();
    if (!text) return text.error();
    auto json = parse_json(*text, fmt::format("{}: header", what_));
    if (!json) return json.error();
    const JsonValue::Object* members = json->find_object();
    if (members == nullptr) return error("the header is no JSON object");

    SafetensorsHeader header;
    header.tensors.reserve(members->size());
    bool has_metadata = false;
    for (const auto& [name, value] : *members) {
      if (name == "__metadata__") {
        if (has_metadata) return error("__metadata__ is there twice");
        has_metadata = true;
        auto metadata = parse_metadata(value);
        if (!metadata) return metadata.error();
        header.metadata = std::move(*metadata);
        continue;
      }
      auto tensor = parse_tensor(name, value);
      if (!tensor) return tensor.error();
      header.tensors.push_back(std::move(*tensor));
    }
    if (auto checked = check_ranges(header.tensors); !checked) return checked.error();
    if (auto checked = sort_by_name(header.tensors); !checked) return checked.error();
    return header;
  }

 private:
  Error error(std::string_view reason) const {
    return {ErrorCode::kDataLoss, fmt::format("{}: {}", what_, reason)};
  }
  Error error_at(std::string_view name, std::string_view reason) const {
    return error(fmt::format("tensor '{}' {}", shown_name(name), reason));
  }

  Result<std::string_view> header_text() {
    if (file_.size() < kPrefixBytes) {
      return error(fmt::format("{} bytes are no safetensors file", file_.size()));
    }
    std::uint64_t length = 0;
    std::memcpy(&length, file_.data(), kPrefixBytes);
    if (length > file_.size() - kPrefixBytes) {
      return error(fmt::format("the header needs {} bytes, {} follow; truncated download?", length,
                               file_.size() - kPrefixBytes));
    }
    if (length > kMaxSafetensorsHeaderBytes) {
      return error(
          fmt::format("a header of {} bytes; {} are allowed", length, kMaxSafetensorsHeaderBytes));
    }
    data_offset_ = kPrefixBytes + length;
    data_bytes_ = file_.size() - data_offset_;
    return file_.substr(kPrefixBytes, length);
  }

  Result<std::vector<std::pair<std::string, std::string>>> parse_metadata(const JsonValue& value) {
    const JsonValue::Object* members = value.find_object();
    if (members == nullptr) return error("__metadata__ is no object");
    std::vector<std::pair<std::string, std::string>> metadata;
    for (const auto& [key, text] : *members) {
      if (!text.is_string()) {
        return error(fmt::format("__metadata__ '{}' is no string", shown_name(key)));
      }
      metadata.emplace_back(key, *text.find_string());
    }
    return metadata;
  }

  Result<TensorEntry> parse_tensor(const std::string& name, const JsonValue& value) {
    if (!value.is_object()) return error_at(name, "is no object");
    TensorEntry tensor;
    tensor.name = name;

    const JsonValue* type_name = value.find("dtype");
    if (type_name == nullptr || !type_name->is_string()) return error_at(name, "has no dtype");
    const auto type = find_tensor_type(*type_name->find_string());
    if (!type) {
      return error_at(
          name, fmt::format("has the unknown dtype '{}'", shown_name(*type_name->find_string())));
    }
    tensor.type = *type;

    const JsonValue* shape = value.find("shape");
    const JsonValue::Array* dimensions = shape == nullptr ? nullptr : shape->find_array();
    if (dimensions == nullptr) return error_at(name, "has no shape");
    if (dimensions->size() > kMaxDimensions) {
      return error_at(name, fmt::format("has {} dimensions", dimensions->size()));
    }
    // Empty dimensions count as one here: strides must not overflow either.
    std::uint64_t extent = bytes_per_element(tensor.type);
    bool is_empty = false;
    for (const JsonValue& dimension : *dimensions) {
      const auto size = find_size(&dimension);
      if (!size) return error_at(name, "has a dimension that is no size");
      const auto bytes = product(extent, std::max<std::uint64_t>(*size, 1));
      if (!bytes) return error_at(name, "is larger than any file");
      extent = *bytes;
      is_empty = is_empty || *size == 0;
      tensor.shape.push_back(static_cast<std::int64_t>(*size));
    }
    const std::uint64_t needed = is_empty ? 0 : extent;
    return place(std::move(tensor), value.find("data_offsets"), needed);
  }

  // Sets the byte range of a tensor that needs `needed` bytes.
  Result<TensorEntry> place(TensorEntry tensor, const JsonValue* offsets, std::uint64_t needed) {
    const JsonValue::Array* pair = offsets == nullptr ? nullptr : offsets->find_array();
    if (pair == nullptr || pair->size() != 2) return error_at(tensor.name, "has no data_offsets");
    const auto begin = find_size(pair->data());
    const auto end = find_size(pair->data() + 1);
    if (!begin || !end || *begin > *end) {
      return error_at(tensor.name, "has data_offsets that are no range");
    }
    if (*end > data_bytes_) {
      return error_at(tensor.name,
                      fmt::format("ends at byte {} of {}; truncated download?", *end, data_bytes_));
    }
    if (*end - *begin != needed) {
      return error_at(tensor.name,
                      fmt::format("of type {} and shape [{}] needs {} bytes, data_offsets give {}",
                                  to_string(tensor.type), fmt::join(tensor.shape, ", "), needed,
                                  *end - *begin));
    }
    tensor.offset = data_offset_ + *begin;
    tensor.num_bytes = needed;
    return tensor;
  }

  // No overlap, no hole, nothing behind the last.
  Result<void> check_ranges(std::vector<TensorEntry>& tensors) const {
    std::sort(tensors.begin(), tensors.end(), [](const TensorEntry& a, const TensorEntry& b) {
      return std::pair(a.offset, a.num_bytes) < std::pair(b.offset, b.num_bytes);
    });
    std::uint64_t next = data_offset_;
    for (const TensorEntry& tensor : tensors) {
      if (tensor.offset != next) {
        return error_at(
            tensor.name,
            fmt::format("{} at byte {} of the data, the one before ends at {}",
                        tensor.offset < next ? "overlaps: starts" : "leaves a hole: starts",
                        tensor.offset - data_offset_, next - data_offset_));
      }
      next += tensor.num_bytes;
    }
    if (next != file_.size()) {
      return error(fmt::format("{} bytes behind the last tensor", file_.size() - next));
    }
    return {};
  }

  Result<void> sort_by_name(std::vector<TensorEntry>& tensors) const {
    std::sort(tensors.begin(), tensors.end(),
              [](const TensorEntry& a, const TensorEntry& b) { return a.name < b.name; });
    const auto twice = std::adjacent_find(
        tensors.begin(), tensors.end(),
        [](const TensorEntry& a, const TensorEntry& b) { return a.name == b.name; });
    if (twice != tensors.end()) return error_at(twice->name, "is there twice");
    return {};
  }

  std::string_view file_;
  std::string_view what_;
  std::uint64_t data_offset_ = 0;
  std::uint64_t data_bytes_ = 0;
};

SafetensorsHeader read_header(const MappedFile& file, const std::filesystem::path& path) {
  return parse_safetensors(file.bytes(), path.string()).value();
}

}  // namespace

Result<SafetensorsHeader> parse_safetensors(std::string_view file, std::string_view what) {
  return HeaderParser(file, what).parse();
}

SafetensorsFile::SafetensorsFile(const std::filesystem::path& path)
    : path_(path), file_(path), header_(read_header(file_, path)) {}

}  // namespace contra4::io
