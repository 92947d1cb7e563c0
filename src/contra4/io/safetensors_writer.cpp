#include "contra4/io/safetensors_writer.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include <fmt/format.h>

#include "contra4/base/error.h"
#include "contra4/io/json_writer.h"
#include "contra4/io/safetensors.h"
#include "contra4/io/shown_name.h"

namespace contra4::io {

namespace {

static_assert(std::endian::native == std::endian::little, "the length of the header is written");

constexpr std::size_t kPrefixBytes = 8;
constexpr std::size_t kDataAlignment = 64;

std::uint64_t bytes_of(const TensorPlan& tensor) {
  std::uint64_t bytes = bytes_per_element(tensor.type);
  for (const std::int64_t size : tensor.shape) {
    CONTRA4_CHECK(size >= 0, "a tensor of negative size");
    CONTRA4_CHECK(!__builtin_mul_overflow(bytes, static_cast<std::uint64_t>(size), &bytes),
                  "a tensor larger than any file");
  }
  return bytes;
}

// JSON holds no bytes that are no UTF-8: the writer would replace them.
bool survives_json(std::string_view name) {
  constexpr std::string_view kReplacement = "\xEF\xBF\xBD";
  return name.find(kReplacement) != std::string_view::npos ||
         json_quote(name).find(kReplacement) == std::string::npos;
}

// Where the file goes: behind a link, and never in place of a device.
std::filesystem::path target_of(const std::filesystem::path& path) {
  std::error_code ignored;
  const auto status = std::filesystem::status(path, ignored);
  if (!std::filesystem::exists(status)) return path;
  if (!std::filesystem::is_regular_file(status)) {
    throw Exception(ErrorCode::kInvalidArgument,
                    fmt::format("{}: not a file; a checkpoint is written to one", path.string()));
  }
  return std::filesystem::canonical(path);
}

}  // namespace

SafetensorsWriter::SafetensorsWriter(
    const std::filesystem::path& path, std::vector<TensorPlan> tensors,
    const std::vector<std::pair<std::string, std::string>>& metadata)
    : tensors_(std::move(tensors)) {
  for (TensorPlan& tensor : tensors_) {
    if (tensor.name == "__metadata__" || !survives_json(tensor.name)) {
      throw Exception(ErrorCode::kInvalidArgument,
                      fmt::format("{}: safetensors has no tensor named '{}'", path.string(),
                                  shown_name(tensor.name)));
    }
    tensor.num_bytes = bytes_of(tensor);
    CONTRA4_CHECK(!__builtin_add_overflow(num_bytes_, tensor.num_bytes, &num_bytes_),
                  "tensors larger than any file");
  }
  std::sort(tensors_.begin(), tensors_.end(), [](const TensorPlan& a, const TensorPlan& b) {
    const std::uint64_t a_bytes = bytes_per_element(a.type);
    const std::uint64_t b_bytes = bytes_per_element(b.type);
    return a_bytes != b_bytes ? a_bytes > b_bytes : a.name < b.name;
  });
  std::string text = header(metadata);
  text.resize((kPrefixBytes + text.size() + kDataAlignment - 1) / kDataAlignment * kDataAlignment -
                  kPrefixBytes,
              ' ');
  if (text.size() > kMaxSafetensorsHeaderBytes) {
    throw Exception(
        ErrorCode::kResourceExhausted,
        fmt::format("{}: the names of {} tensors make a header of {} bytes, {} are "
                    "allowed",
                    path.string(), tensors_.size(), text.size(), kMaxSafetensorsHeaderBytes));
  }
  file_.emplace(target_of(path), Durability::kSynced);
  const std::uint64_t length = text.size();
  std::string prefix(kPrefixBytes, '\0');
  std::memcpy(prefix.data(), &length, kPrefixBytes);
  file_->write(prefix);
  file_->write(text);
}

std::string SafetensorsWriter::header(
    const std::vector<std::pair<std::string, std::string>>& metadata) const {
  JsonWriter writer;
  writer.begin_object();
  writer.key("__metadata__").begin_object();
  for (const auto& [key, value] : metadata) writer.member(key, value);
  writer.end_object();
  std::uint64_t offset = 0;
  for (const TensorPlan& tensor : tensors_) {
    writer.key(tensor.name).begin_object();
    writer.member("dtype", to_string(tensor.type));
    writer.key("shape").begin_array();
    for (const std::int64_t size : tensor.shape) writer.value(size);
    writer.end_array();
    writer.key("data_offsets").begin_array();
    writer.value(static_cast<std::int64_t>(offset));
    offset += tensor.num_bytes;
    writer.value(static_cast<std::int64_t>(offset));
    writer.end_array();
    writer.end_object();
  }
  writer.end_object();
  return writer.take();
}

void SafetensorsWriter::write(std::string_view bytes) {
  CONTRA4_CHECK(bytes.size() <= num_bytes_ - num_written_, "more bytes than the header says");
  num_written_ += bytes.size();
  file_->write(bytes);
}

void SafetensorsWriter::commit() {
  CONTRA4_CHECK(num_written_ == num_bytes_, "fewer bytes than the header says");
  file_->commit();
}

}  // namespace contra4::io
