#include "contra4/train/network_media.h"

#include <c10/core/ScalarType.h>
#include <fmt/format.h>

#include "contra4/base/hash.h"
#include "contra4/io/json_writer.h"
#include "contra4/models/onellm/encoder.h"

namespace contra4::train {

namespace {

// Changes with anything that changes what encode() gives for the same weights.
constexpr int kVersion = 1;

// What stands between a file and the features of some frozen modality.
bool decides_features(std::string_view name, TrainedPart trained) {
  if (!models::onellm::is_used(name)) return false;
  if (name.starts_with("llma.clip.")) return true;
  return trained != TrainedPart::kAll &&
         (name.starts_with("llma.conv1.") || name.starts_with("llma.positional_embedding."));
}

std::string hash_frozen(const tensor::Checkpoint& weights, TrainedPart trained) {
  Sha256 hash;
  for (const std::string& name : weights.names()) {
    if (!decides_features(name, trained)) continue;
    const at::Tensor tensor = weights.find(name)->detach().cpu().contiguous();
    hash.update(
        fmt::format("{} {} {};", name, c10::toString(tensor.scalar_type()), tensor.numel()));
    hash.update({static_cast<const char*>(tensor.const_data_ptr()), tensor.nbytes()});
  }
  return hash.hex_digest();
}

}  // namespace

NetworkMedia::NetworkMedia(const OnellmNetwork& network, const tensor::Checkpoint& weights,
                           const models::onellm::PrepareOptions& options)
    : network_(network), options_(options) {
  const NetworkOptions& trained = network.options();
  std::string text = fmt::format(
      "onellm network {} {} {} {} {}", kVersion, hash_frozen(weights, trained.trained),
      c10::toString(trained.dtype), options.is_compat, options.rounds_points_to_bfloat16);
  for (const Modality modality : kModalities) {
    text += is_frozen(modality, trained.trained) ? " frozen" : " prepared";
  }
  feature_key_ = sha256_hex(text);
}

Result<models::PreparedMedium> NetworkMedia::prepare(Modality modality, std::string_view bytes,
                                                     std::string_view name) const {
  return models::onellm::prepare_medium(network_.sizes(), modality, bytes, name, options_);
}

models::PreparedMedium NetworkMedia::blank(Modality modality) const {
  return models::onellm::blank_medium(network_.sizes(), modality);
}

std::vector<models::SceneFeatures> NetworkMedia::encode(
    Modality modality, std::span<const models::PreparedMedium> media) {
  return network_.freeze(modality, media);
}

// Frozen features are one matrix; what is not frozen is a sound of three dimensions, or points and
// their rows.
models::SceneFeatures NetworkMedia::place(models::SceneFeatures features) const {
  const bool is_frozen_here = features.size() == 1 && features[0].dim() == 2;
  if (!is_frozen_here) return features;
  features[0] = features[0].to(network_.options().device, network_.options().dtype);
  return features;
}

std::vector<models::SceneAnswer> NetworkMedia::answer(
    std::span<const models::SceneQuestion> /*questions*/) {
  CONTRA4_CHECK(false, "media for a training answer nothing");
}

std::size_t NetworkMedia::encode_batch_size(Modality modality) const {
  return models::onellm::encode_batch_size(modality, network_.options().device);
}

std::string NetworkMedia::description_json() const {
  io::JsonWriter writer;
  writer.begin_object().member("model", "OneLLM").member("frozen", feature_key_).end_object();
  return writer.take();
}

}  // namespace contra4::train
