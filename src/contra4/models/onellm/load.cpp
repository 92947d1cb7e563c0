#include "contra4/models/onellm/load.h"

#include <algorithm>
#include <charconv>
#include <numeric>
#include <string_view>

#include <c10/core/ScalarType.h>

#include "contra4/io/tensor_file.h"

namespace contra4::models::onellm {

namespace {

// Positions of a question over four scenes, with a long text.
constexpr std::int64_t kTypicalPositions = 256;
// Of a medium through CLIP: rows of a video of 15 pictures, which is the largest.
constexpr std::int64_t kLargestMediumRows = std::int64_t{15} * 257;

// Which device a tensor goes to.
std::size_t device_of(std::string_view name, std::int64_t num_layers, std::size_t num_devices) {
  if (!name.starts_with(kPrefix)) return 0;
  name.remove_prefix(kPrefix.size());
  if (name.starts_with("output.") || name.starts_with("norm.")) return num_devices - 1;
  constexpr std::string_view kLayers = "layers.";
  if (!name.starts_with(kLayers)) return 0;
  std::int64_t layer = 0;
  std::from_chars(name.data() + kLayers.size(), name.data() + name.size(), layer);
  return static_cast<std::size_t>(std::min(layer, num_layers - 1) *
                                  static_cast<std::int64_t>(num_devices) / num_layers);
}

}  // namespace

std::vector<MemoryNeed> estimate_memory(const tensor::Checkpoint& checkpoint, const Sizes& sizes,
                                        std::span<const at::Device> devices, at::ScalarType dtype,
                                        std::int64_t batch_size) {
  const LlamaConfig& language = sizes.language;
  const std::uint64_t element = c10::elementSize(dtype);
  std::vector<MemoryNeed> needs(devices.size());
  for (std::size_t i = 0; i < devices.size(); ++i) needs[i].device = devices[i];
  const io::TensorType stored_type = dtype == at::kFloat      ? io::TensorType::kF32
                                     : dtype == at::kBFloat16 ? io::TensorType::kBF16
                                                              : io::TensorType::kF16;
  for (const std::string& name : checkpoint.names()) {
    if (!is_used(name)) continue;
    const io::TensorEntry& stored = *checkpoint.find_entry(name);
    const std::uint64_t num_elements =
        std::accumulate(stored.shape.begin(), stored.shape.end(), std::uint64_t{1},
                        [](std::uint64_t product, std::int64_t size) {
                          return product * static_cast<std::uint64_t>(size);
                        });
    MemoryNeed& need = needs[device_of(name, language.num_layers, devices.size())];
    const std::uint64_t bytes = num_elements * element;
    const bool is_mapped = need.device.is_cpu() && stored.type == stored_type;
    (is_mapped ? need.mapped_bytes : need.copied_bytes) += bytes;
  }
  const std::int64_t rows = batch_size * kTypicalPositions;
  const auto layer_cache = static_cast<std::uint64_t>(rows * 2 * language.width) * element;
  const auto layer_rows =
      static_cast<std::uint64_t>(rows * (6 * language.width + 2 * language.feed_forward_width)) *
      element;
  const auto encoder_rows =
      static_cast<std::uint64_t>(kLargestMediumRows *
                                 (5 * sizes.width + sizes.clip_feed_forward_width)) *
      element;
  const auto num_layers = static_cast<std::uint64_t>(language.num_layers);
  for (MemoryNeed& need : needs) {
    need.working_bytes = layer_cache * num_layers / needs.size() + layer_rows;
  }
  needs.front().working_bytes += encoder_rows;
  return needs;
}

}  // namespace contra4::models::onellm
