// What decides the features and the answers of a OneLLM.
#include <algorithm>
#include <string>

#include <c10/core/ScalarType.h>
#include <fmt/format.h>

#include "contra4/base/hash.h"
#include "contra4/io/json_writer.h"
#include "contra4/models/device/devices.h"
#include "contra4/models/onellm/model.h"
#include "contra4/nn/linear.h"

namespace contra4::models::onellm {

namespace {

// Changes with anything that changes what encode() gives for the same weights.
constexpr int kEncoderVersion = 1;
// Of a tensor of the language model: enough to tell a fine-tuned one from another, and gigabytes
// are not read for it.
constexpr std::int64_t kSampledElements = 2048;

bool is_of_language_model(std::string_view name) {
  if (name == nn::kLoraScale) return true;
  name.remove_prefix(std::min(name.size(), kPrefix.size()));
  return name.starts_with("layers.") || name.starts_with("tok_embeddings.") ||
         name.starts_with("output.") || name.starts_with("norm.");
}

}  // namespace

// The encoder's tensors whole, those of the language model by their first elements.
std::string Model::fingerprint(bool of_encoder_alone) const {
  Sha256 hash;
  for (const std::string& name : checkpoint_.names()) {
    if (!is_used(name)) continue;
    const bool is_sampled = is_of_language_model(name);
    if (is_sampled && of_encoder_alone) continue;
    at::Tensor tensor = checkpoint_.find(name)->contiguous();
    hash.update(
        fmt::format("{} {} {};", name, c10::toString(tensor.scalar_type()), tensor.numel()));
    tensor = tensor.flatten();
    if (is_sampled) tensor = tensor.narrow(0, 0, std::min(kSampledElements, tensor.numel()));
    hash.update({static_cast<const char*>(tensor.const_data_ptr()), tensor.nbytes()});
  }
  return hash.hex_digest();
}

std::string Model::feature_key() const {
  return sha256_hex(fmt::format("onellm {} {} {} {}", kEncoderVersion, fingerprint(true),
                                type_name(options_.dtype), options_.rounds_points_to_bfloat16));
}

std::string Model::description_json() const {
  io::JsonWriter writer;
  writer.begin_object()
      .member("model", "OneLLM")
      .member("weights", fingerprint(false))
      .member("compute_type", type_name(options_.dtype))
      .member("compat", options_.is_compat)
      .member("answer", options_.chooses_by_logprobs ? "logprobs" : "text");
  if (!options_.chooses_by_logprobs) writer.member("max_new_tokens", options_.max_new_tokens);
  writer.member("prompt_template", options_.prompt.prompt_template)
      .member("max_text_tokens", options_.prompt.max_tokens)
      .end_object();
  return writer.take();
}

}  // namespace contra4::models::onellm
