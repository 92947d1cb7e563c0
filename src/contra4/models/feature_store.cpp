#include "contra4/models/feature_store.h"

#include <array>
#include <bit>
#include <cstdint>
#include <cstring>
#include <system_error>
#include <utility>
#include <vector>

#include <ATen/ops/empty.h>
#include <fmt/format.h>

#include "contra4/base/error.h"
#include "contra4/base/hash.h"
#include "contra4/base/log.h"
#include "contra4/io/bulk_file.h"
#include "contra4/io/file.h"
#include "contra4/io/json_writer.h"
#include "contra4/io/safetensors.h"

namespace contra4::models {

namespace {

static_assert(std::endian::native == std::endian::little, "safetensors are little-endian");

constexpr std::size_t kModelDigits = 16;  // of the key's hash, in the name of the folder
constexpr std::size_t kAlignment = 8;     // of the tensors: what safetensors asks for

struct TypePair {
  io::TensorType stored;
  at::ScalarType computed;
};
constexpr std::array kTypes = {
    TypePair{io::TensorType::kF32, at::kFloat}, TypePair{io::TensorType::kBF16, at::kBFloat16},
    TypePair{io::TensorType::kF16, at::kHalf}, TypePair{io::TensorType::kF64, at::kDouble},
    TypePair{io::TensorType::kI64, at::kLong}};

io::TensorType stored_type(at::ScalarType type) {
  for (const TypePair& pair : kTypes) {
    if (pair.computed == type) return pair.stored;
  }
  CONTRA4_CHECK(false, "features of a type that is not stored");
}

std::optional<at::ScalarType> computed_type(io::TensorType type) {
  for (const TypePair& pair : kTypes) {
    if (pair.stored == type) return pair.computed;
  }
  return std::nullopt;
}

std::string_view bytes_of(const at::Tensor& tensor) {
  return {static_cast<const char*>(tensor.const_data_ptr()), tensor.nbytes()};
}

// What the file says of itself besides its tensors.
struct Labels {
  std::string model;
  std::string content;
  std::string sha256;  // of all bytes of the tensors
};

std::string header_of(const std::vector<at::Tensor>& tensors, const Labels& labels) {
  io::JsonWriter json;
  json.begin_object().key("__metadata__").begin_object();
  json.member("model", labels.model).member("content", labels.content);
  json.member("sha256", labels.sha256).end_object();
  std::uint64_t begin = 0;
  for (std::size_t i = 0; i < tensors.size(); ++i) {
    const std::uint64_t end = begin + tensors[i].nbytes();
    json.key(fmt::format("{:04}", i)).begin_object();
    json.member("dtype", io::to_string(stored_type(tensors[i].scalar_type())));
    json.key("shape").begin_array();
    for (const std::int64_t size : tensors[i].sizes()) json.value(size);
    json.end_array().key("data_offsets").begin_array().value(begin).value(end);
    json.end_array().end_object();
    begin = end;
  }
  json.end_object();
  std::string header = json.take();
  header.resize((header.size() + kAlignment - 1) / kAlignment * kAlignment, ' ');
  return header;
}

std::string hash_of(const std::vector<at::Tensor>& tensors) {
  Sha256 hash;
  for (const at::Tensor& tensor : tensors) hash.update(bytes_of(tensor));
  return hash.hex_digest();
}

// The features, or what is wrong with the file.
Result<SceneFeatures> parse(std::string_view file, const std::string& name, const Labels& wanted) {
  const auto header = io::parse_safetensors(file, name);
  if (!header) return header.error();
  Labels labels;
  for (const auto& [key, value] : header->metadata) {
    if (key == "model") labels.model = value;
    if (key == "content") labels.content = value;
    if (key == "sha256") labels.sha256 = value;
  }
  if (labels.model != wanted.model || labels.content != wanted.content) {
    return Error{ErrorCode::kDataLoss, name + ": features of something else"};
  }
  SceneFeatures features;
  for (const io::TensorEntry& entry : header->tensors) {
    const auto type = computed_type(entry.type);
    if (!type) return Error{ErrorCode::kDataLoss, name + ": features of an unknown type"};
    at::Tensor tensor = at::empty(entry.shape, *type);
    const std::string_view bytes = file.substr(entry.offset, entry.num_bytes);
    CONTRA4_CHECK(bytes.size() == tensor.nbytes(), "a tensor of another size than its header says");
    std::memcpy(tensor.mutable_data_ptr(), bytes.data(), bytes.size());
    features.push_back(std::move(tensor));
  }
  if (hash_of(features) != labels.sha256) {
    return Error{ErrorCode::kDataLoss, name + ": the checksum does not fit"};
  }
  return features;
}

}  // namespace

FeatureStore::FeatureStore(const std::filesystem::path& folder, std::string_view feature_key)
    : model_(sha256_hex(feature_key)) {
  folder_ = folder / model_.substr(0, kModelDigits);
}

std::filesystem::path FeatureStore::file_of(Modality modality,
                                            std::string_view content_sha256) const {
  return folder_ / to_string(modality) / content_sha256.substr(0, 2) /
         fmt::format("{}.safetensors", content_sha256);
}

std::optional<SceneFeatures> FeatureStore::load(Modality modality,
                                                std::string_view content_sha256) const {
  const auto path = file_of(modality, content_sha256);
  std::error_code ignored;
  if (!std::filesystem::exists(path, ignored)) return std::nullopt;
  try {
    const io::MappedFile file(path);
    auto features = parse(file.bytes(), path.string(),
                          {.model = model_, .content = std::string(content_sha256), .sha256 = {}});
    if (features) return std::move(*features);
    log::warning("{}; it is made anew", features.error().message);
  } catch (const Exception& error) {  // removed or replaced meanwhile, no permission
    log::warning("{}: {}; it is made anew", path.string(), error.what());
  }
  return std::nullopt;
}

void FeatureStore::save(Modality modality, std::string_view content_sha256,
                        const SceneFeatures& features) const {
  std::vector<at::Tensor> tensors;
  for (const at::Tensor& tensor : features) {
    CONTRA4_CHECK(tensor.device().is_cpu(), "features are stored from the CPU");
    tensors.push_back(tensor.contiguous());
  }
  const std::string header = header_of(
      tensors,
      {.model = model_, .content = std::string(content_sha256), .sha256 = hash_of(tensors)});
  const std::uint64_t header_size = header.size();
  // Not synced: thousands of waits for the disk, for what a checksum finds out.
  io::BulkFile file(file_of(modality, content_sha256), io::Durability::kUnsynced);
  file.write({reinterpret_cast<const char*>(&header_size), sizeof header_size});
  file.write(header);
  for (const at::Tensor& tensor : tensors) file.write(bytes_of(tensor));
  file.commit();
}

}  // namespace contra4::models
