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

}  // namespace

SafetensorsWriter::SafetensorsWriter(
    const std::filesystem::path& path, std::vector<TensorPlan> tensors,
    const std::vector<std::pair<std::string, std::string>>& metadata, TensorOrder order)
    : tensors_(std::move(tensors)) {
  for (const TensorPlan& tensor : tensors_) {
    if (tensor.name == "__metadata__" || !is_text(tensor.name)) {
      throw Exception(ErrorCode::kInvalidArgument,
                      fmt::format("{}: safetensors has no tensor named '{}'", path.string(),
                                  shown_name(tensor.name)));
    }
  }
  num_bytes_ = set_num_bytes(tensors_);
  const auto is_before = [order](const TensorPlan& a, const TensorPlan& b) {
    const std::uint64_t a_bytes = bytes_per_element(a.type);
    const std::uint64_t b_bytes = bytes_per_element(b.type);
    if (a_bytes != b_bytes) return a_bytes > b_bytes;
    return order == TensorOrder::kByTypeAndName && a.name < b.name;
  };
  std::stable_sort(tensors_.begin(), tensors_.end(), is_before);
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
  file_.emplace(checkpoint_target(path), Durability::kSynced);
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
