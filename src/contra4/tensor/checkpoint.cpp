#include "contra4/tensor/checkpoint.h"

#include <algorithm>
#include <cstring>
#include <iterator>
#include <set>
#include <utility>

#include <ATen/ops/as_strided.h>
#include <ATen/ops/clone.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/from_blob.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "contra4/base/error.h"
#include "contra4/base/suggest.h"
#include "contra4/tensor/stored_type.h"

namespace contra4::tensor {

namespace {

constexpr std::size_t kMaxShownNames = 8;

// Whether elements of `size` bytes may be read from there as they are.
bool is_aligned(const void* data, std::uint64_t size) {
  return reinterpret_cast<std::uintptr_t>(data) % size == 0;
}

}  // namespace

Checkpoint::Checkpoint(const std::filesystem::path& path) {
  for (auto& file : io::open_tensor_files(path)) add(std::move(file));
}

Checkpoint::Checkpoint(const std::vector<std::filesystem::path>& files) {
  for (const std::filesystem::path& path : files) add(io::open_tensor_file(path));
}

void Checkpoint::add(std::shared_ptr<const io::TensorFile> file) {
  for (const io::TensorEntry& entry : file->tensors()) {
    Place there{.file = file, .entry = {file, &entry}, .tensor = {}};
    const auto [place, is_new] = places_.try_emplace(entry.name, std::move(there));
    if (!is_new) {
      throw Exception(ErrorCode::kDataLoss,
                      fmt::format("tensor '{}' is in {} and in {}", entry.name,
                                  place->second.file->path().string(), file->path().string()));
    }
  }
  files_.push_back(std::move(file));
}

Checkpoint Checkpoint::of_tensors(std::vector<std::pair<std::string, at::Tensor>> tensors,
                                  std::string description) {
  Checkpoint checkpoint;
  checkpoint.description_ = std::move(description);
  for (auto& named : tensors) {
    const std::string& name = named.first;
    at::Tensor tensor = std::move(named.second);
    auto entry = std::make_shared<io::TensorEntry>();
    entry->name = name;
    entry->type = stored_type_of(tensor.scalar_type());
    entry->shape = tensor.sizes().vec();
    entry->num_bytes = entry->contiguous_bytes();
    Place place{.file = nullptr, .entry = std::move(entry), .tensor = std::move(tensor)};
    if (!checkpoint.places_.try_emplace(name, std::move(place)).second) {
      throw Exception(ErrorCode::kInvalidArgument,
                      fmt::format("{}: two tensors '{}'", checkpoint.description_, name));
    }
  }
  return checkpoint;
}

std::optional<at::Tensor> Checkpoint::find(std::string_view name) const {
  const auto place = places_.find(name);
  if (place == places_.end()) return std::nullopt;
  return open(place->second);
}

const io::TensorEntry* Checkpoint::find_entry(std::string_view name) const {
  const auto place = places_.find(name);
  return place == places_.end() ? nullptr : place->second.entry.get();
}

at::Tensor Checkpoint::get(std::string_view name, const std::vector<std::int64_t>& shape) const {
  return open(require(name, shape));
}

at::Tensor Checkpoint::get_float32(std::string_view name,
                                   const std::vector<std::int64_t>& shape) const {
  const Place& place = require(name, shape);
  const at::Tensor stored = open(place);
  if (!at::isFloatingType(stored.scalar_type())) {
    throw Exception(ErrorCode::kDataLoss,
                    fmt::format("{}: tensor '{}' is of type {}, wanted floating-point numbers",
                                origin(place), name, io::to_string(place.entry->type)));
  }
  return stored.to(at::kFloat);
}

void Checkpoint::release(std::string_view name) const {
  const auto place = places_.find(name);
  if (place == places_.end() || place->second.file == nullptr) return;
  const io::TensorFile& file = *place->second.file;
  file.release(file.bytes(*place->second.entry));
}

NameComparison Checkpoint::compare_names(std::span<const std::string> wanted) const {
  const std::set<std::string> sorted(wanted.begin(), wanted.end());
  const std::vector<std::string> found = names();
  NameComparison comparison;
  std::set_difference(sorted.begin(), sorted.end(), found.begin(), found.end(),
                      std::back_inserter(comparison.missing));
  std::set_difference(found.begin(), found.end(), sorted.begin(), sorted.end(),
                      std::back_inserter(comparison.unexpected));
  return comparison;
}

std::string Checkpoint::name_report(std::span<const std::string> wanted) const {
  const NameComparison comparison = compare_names(wanted);
  // A slip shows among the names that nobody wants.
  const std::span<const std::string> unexpected = comparison.unexpected;
  const auto with_nearest = [&](const std::string& name) {
    const auto nearest = find_nearest(name, unexpected);
    return nearest ? fmt::format("'{}' (the nearest is '{}')", name, *nearest)
                   : fmt::format("'{}'", name);
  };
  const auto list = [](const std::vector<std::string>& names, const auto& text_of) {
    std::vector<std::string> texts;
    for (const std::string& name : names) {
      if (texts.size() == kMaxShownNames) {
        texts.push_back(fmt::format("and {} more", names.size() - kMaxShownNames));
        break;
      }
      texts.push_back(text_of(name));
    }
    return fmt::format("{}", fmt::join(texts, ", "));
  };
  std::vector<std::string> parts;
  if (!comparison.missing.empty()) {
    parts.push_back(fmt::format("lacks {} of {} tensors: {}", comparison.missing.size(),
                                wanted.size(), list(comparison.missing, with_nearest)));
  }
  if (!comparison.unexpected.empty()) {
    parts.push_back(fmt::format("has {} others: {}", comparison.unexpected.size(),
                                list(comparison.unexpected, [](const std::string& name) {
                                  return fmt::format("'{}'", name);
                                })));
  }
  return fmt::format("{}", fmt::join(parts, "; "));
}

std::vector<std::string> Checkpoint::names() const {
  std::vector<std::string> names;
  names.reserve(places_.size());
  for (const auto& [name, place] : places_) names.push_back(name);
  return names;
}

std::string Checkpoint::description() const {
  if (files_.empty()) return description_;
  std::vector<std::string> paths;
  for (const auto& file : files_) paths.push_back(file->path().string());
  return fmt::format("{}", fmt::join(paths, ", "));
}

const Checkpoint::Place& Checkpoint::require(std::string_view name,
                                             const std::vector<std::int64_t>& shape) const {
  const auto place = places_.find(name);
  if (place == places_.end()) {
    const auto nearest = find_nearest(name, names());
    throw Exception(ErrorCode::kNotFound,
                    fmt::format("{}: no tensor '{}' of shape [{}] among {}{}", description(), name,
                                fmt::join(shape, ", "), places_.size(),
                                nearest ? fmt::format("; the nearest is '{}'", *nearest) : ""));
  }
  if (place->second.entry->shape != shape) {
    throw Exception(
        ErrorCode::kDataLoss,
        fmt::format("{}: tensor '{}' has shape [{}], wanted [{}]", origin(place->second), name,
                    fmt::join(place->second.entry->shape, ", "), fmt::join(shape, ", ")));
  }
  return place->second;
}

std::string Checkpoint::origin(const Place& place) const {
  return place.file == nullptr ? description_ : place.file->path().string();
}

at::Tensor Checkpoint::open(const Place& place) {
  if (place.file == nullptr) return place.tensor;
  const io::TensorEntry& entry = *place.entry;
  const at::TensorOptions options = at::TensorOptions().dtype(scalar_type_of(entry.type));
  const std::string_view bytes = place.file->bytes(entry);
  if (bytes.empty()) return at::empty(entry.shape, options);
  const std::uint64_t element_bytes = io::bytes_per_element(entry.type);
  const auto num_stored = static_cast<std::int64_t>(bytes.size() / element_bytes);
  if (!is_aligned(bytes.data(), element_bytes)) {
    at::Tensor copy = at::empty({num_stored}, options);
    std::memcpy(copy.data_ptr(), bytes.data(), bytes.size());
    if (entry.strides.empty()) return copy.view(entry.shape);
    return copy.as_strided(entry.shape, entry.strides).clone(at::MemoryFormat::Contiguous);
  }
  // The mapping is private and read-only.
  // NOLINTNEXTLINE(cppcoreguidelines-pro-type-const-cast): ATen knows no tensor of constants
  void* data = const_cast<char*>(bytes.data());
  if (!entry.strides.empty()) {
    return at::from_blob(data, {num_stored}, options)
        .as_strided(entry.shape, entry.strides)
        .clone(at::MemoryFormat::Contiguous);
  }
  return at::from_blob(
      data, entry.shape, [file = place.file](void*) {}, options);
}

}  // namespace contra4::tensor
