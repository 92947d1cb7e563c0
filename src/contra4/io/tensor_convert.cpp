#include "contra4/io/tensor_convert.h"

#include <algorithm>
#include <cstring>
#include <map>
#include <set>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "contra4/base/error.h"
#include "contra4/io/safetensors_writer.h"
#include "contra4/io/shown_name.h"
#include "contra4/io/small_floats.h"

namespace contra4::io {

namespace {

constexpr std::uint64_t kChunkBytes = 4U
                                      << 20;  // of one element's multiple, as all sizes divide it
constexpr std::uint64_t kMaxGrowth = 16;
constexpr std::uint64_t kFreeGrowthBytes = 1ULL << 30;  // small files may grow so much
constexpr std::size_t kMaxShownNames = 8;

struct Source {
  const TensorFile* file = nullptr;
  const TensorEntry* entry = nullptr;
};

bool is_wide_float(TensorType type) {
  return type == TensorType::kF16 || type == TensorType::kBF16 || type == TensorType::kF32 ||
         type == TensorType::kF64;
}

// Copies the elements of a strided tensor in row-major order, some at a time.
class StridedReader {
 public:
  StridedReader(const TensorEntry& entry, std::string_view bytes)
      : entry_(entry),
        bytes_(bytes),
        element_bytes_(bytes_per_element(entry.type)),
        index_(entry.shape.size(), 0) {}

  // The next `count` elements, which are there.
  void read(std::uint64_t count, std::string& out) {
    out.resize(count * element_bytes_);
    for (std::uint64_t i = 0; i < count; ++i) {
      std::memcpy(out.data() + i * element_bytes_, bytes_.data() + at_ * element_bytes_,
                  element_bytes_);
      step();
    }
  }

 private:
  void step() {
    for (std::size_t i = index_.size(); i-- > 0;) {
      const auto stride = static_cast<std::uint64_t>(entry_.strides[i]);
      at_ += stride;
      if (++index_[i] < entry_.shape[i]) return;
      at_ -= stride * static_cast<std::uint64_t>(entry_.shape[i]);
      index_[i] = 0;
    }
  }

  const TensorEntry& entry_;
  std::string_view bytes_;
  std::uint64_t element_bytes_;
  std::vector<std::int64_t> index_;
  std::uint64_t at_ = 0;  // element
};

template <class T>
T load(std::string_view bytes, std::uint64_t index) {
  T value{};
  std::memcpy(&value, bytes.data() + index * sizeof(T), sizeof(T));
  return value;
}

float load_float(std::string_view bytes, TensorType type, std::uint64_t index) {
  switch (type) {
    case TensorType::kF16:
      return half_to_float(load<std::uint16_t>(bytes, index));
    case TensorType::kBF16:
      return bfloat16_to_float(load<std::uint16_t>(bytes, index));
    case TensorType::kF64:
      return static_cast<float>(load<double>(bytes, index));
    default:
      return load<float>(bytes, index);
  }
}

// Elements of floating-point type `from` as `to`.
void convert_floats(std::string_view bytes, TensorType from, TensorType to, std::string& out) {
  const std::uint64_t count = bytes.size() / bytes_per_element(from);
  out.resize(count * bytes_per_element(to));
  for (std::uint64_t i = 0; i < count; ++i) {
    const float value = load_float(bytes, from, i);
    if (to == TensorType::kF32) {
      std::memcpy(out.data() + 4 * i, &value, 4);
    } else {
      const std::uint16_t bits =
          to == TensorType::kF16 ? float_to_half(value) : float_to_bfloat16(value);
      std::memcpy(out.data() + 2 * i, &bits, 2);
    }
  }
}

class Conversion {
 public:
  Conversion(std::span<const std::unique_ptr<TensorFile>> inputs, const ConvertOptions& options)
      : options_(options) {
    const std::string prefix = options.below.empty() ? "" : options.below + ".";
    std::set<std::string> roots;
    for (const auto& file : inputs) {
      input_bytes_ += std::filesystem::file_size(file->path());
      for (const TensorEntry& entry : file->tensors()) {
        if (!entry.name.starts_with(prefix) || entry.name.size() == prefix.size()) {
          roots.insert(entry.name.substr(0, entry.name.find('.')));
          continue;
        }
        add(entry.name.substr(prefix.size()), {file.get(), &entry});
      }
    }
    if (plans_.empty() && !prefix.empty()) nothing_below(roots);
    if (output_bytes_ / kMaxGrowth > input_bytes_ && output_bytes_ > kFreeGrowthBytes) {
      throw Exception(ErrorCode::kResourceExhausted,
                      fmt::format("files of {} bytes would become {}: many names share the same "
                                  "bytes",
                                  input_bytes_, output_bytes_));
    }
  }

  ConvertResult write(const std::filesystem::path& output, const ConvertProgress& progress,
                      const std::stop_token& stop) {
    const std::size_t num_tensors = plans_.size();
    SafetensorsWriter writer(output, std::move(plans_), {{"format", "pt"}});
    num_bytes_ = writer.num_bytes();
    for (const TensorPlan& plan : writer.tensors()) {
      const Source& source = sources_.at(plan.name);
      for_each_chunk(source, [&](std::string_view bytes) {
        if (stop.stop_requested()) {
          throw Exception(ErrorCode::kCancelled, "interrupted; nothing was written");
        }
        if (plan.type != source.entry->type) {
          convert_floats(bytes, source.entry->type, plan.type, converted_);
          bytes = converted_;
        }
        writer.write(bytes);
        num_done_ += bytes.size();
        if (progress) progress(num_done_, num_bytes_);
      });
    }
    writer.commit();
    return {num_tensors, num_bytes_};
  }

 private:
  void add(std::string name, Source source) {
    const TensorEntry& entry = *source.entry;
    const auto [place, is_new] = sources_.try_emplace(name, source);
    if (!is_new) {
      throw Exception(
          ErrorCode::kDataLoss,
          fmt::format("tensor '{}' is in {} and in {}", shown_name(name),
                      place->second.file->path().string(), source.file->path().string()));
    }
    const TensorType type =
        options_.float_type && is_wide_float(entry.type) ? *options_.float_type : entry.type;
    plans_.push_back({.name = std::move(name), .type = type, .shape = entry.shape});
    // Cannot overflow: no tensor is larger than its file or 2^30 bytes, and readers take no more
    // than some millions of them.
    output_bytes_ += entry.contiguous_bytes();
  }

  [[noreturn]] void nothing_below(const std::set<std::string>& roots) const {
    std::vector<std::string> some;
    for (const std::string& root : roots) {
      if (some.size() == kMaxShownNames) break;
      some.push_back(shown_name(root));
    }
    throw Exception(ErrorCode::kNotFound,
                    fmt::format("no tensor below '{}'; there are those below {}{}", options_.below,
                                fmt::join(some, ", "), some.size() < roots.size() ? ", ..." : ""));
  }

  // Row-major elements in their stored type, a few MiB at a time.
  template <class Take>
  void for_each_chunk(const Source& source, Take take) {
    const TensorEntry& entry = *source.entry;
    std::string_view bytes = source.file->bytes(entry);
    if (entry.strides.empty()) {
      while (!bytes.empty()) {
        const std::string_view chunk = bytes.substr(0, kChunkBytes);
        take(chunk);
        source.file->release(chunk);
        bytes.remove_prefix(chunk.size());
      }
      return;
    }
    StridedReader reader(entry, bytes);
    const std::uint64_t most = kChunkBytes / bytes_per_element(entry.type);
    for (std::uint64_t left = entry.num_elements(); left > 0;) {
      const std::uint64_t count = std::min(left, most);
      reader.read(count, gathered_);
      take(gathered_);
      left -= count;
    }
    source.file->release(bytes);
  }

  const ConvertOptions& options_;
  std::map<std::string, Source> sources_;
  std::vector<TensorPlan> plans_;
  std::uint64_t input_bytes_ = 0;
  std::uint64_t output_bytes_ = 0;
  std::uint64_t num_bytes_ = 0;
  std::uint64_t num_done_ = 0;
  std::string gathered_;
  std::string converted_;
};

}  // namespace

ConvertResult write_safetensors(std::span<const std::unique_ptr<TensorFile>> inputs,
                                const std::filesystem::path& output, const ConvertOptions& options,
                                const ConvertProgress& progress, std::stop_token stop) {
  return Conversion(inputs, options).write(output, progress, stop);
}

}  // namespace contra4::io
