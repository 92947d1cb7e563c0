// Which weights are trained, and by which layer they are gathered.
#include <algorithm>
#include <map>
#include <string_view>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "contra4/base/error.h"
#include "contra4/nn/gated_block.h"
#include "contra4/nn/linear.h"
#include "contra4/train/onellm_network.h"

namespace contra4::train {

namespace {

using models::onellm::kPrefix;

// The stems and positions before CLIP.
bool is_before_clip(std::string_view name) {
  return name.starts_with("conv1.") || name.starts_with("positional_embedding.");
}

// The language model, its tags aside.
bool is_of_language_model(std::string_view name) {
  return name.starts_with("layers.") || name.starts_with("tok_embeddings.") ||
         name.starts_with("norm.") || name.starts_with("output.");
}

bool is_trained(std::string_view full_name, TrainedPart trained) {
  if (!models::onellm::is_used(full_name) || !full_name.starts_with(kPrefix)) return false;
  const std::string_view name = full_name.substr(kPrefix.size());
  if (name.starts_with("clip.")) return false;
  if (trained == TrainedPart::kAll) return true;
  return !is_before_clip(name) && !is_of_language_model(name);
}

bool decays(std::string_view name) {
  return !name.ends_with(".bias") && !name.ends_with("norm.weight");
}

std::string layer_name(std::int64_t layer) {
  return fmt::format("{}layers.{}", kPrefix, layer);
}

// Layers in the order of a forward pass.
std::vector<std::string> layers_of(const models::onellm::Sizes& sizes) {
  std::vector<std::string> names;
  for (std::int64_t e = 0; e < sizes.num_experts; ++e) {
    for (std::int64_t i = 0; i < sizes.num_resampler_layers; ++i) {
      names.push_back(fmt::format("{}resample_layers.{}.{}", kPrefix, e, i));
    }
  }
  for (std::int64_t i = 0; i < sizes.language.num_layers; ++i) names.push_back(layer_name(i));
  return names;
}

void add_updates(UnitPlan& unit, const models::onellm::Sizes& sizes, const LoraOptions& lora) {
  const std::int64_t width = sizes.language.width;
  const std::int64_t inner = sizes.language.feed_forward_width;
  const nn::GatedBlockNames names = nn::meta_block_names(unit.name);
  struct Product {
    std::string name;
    std::int64_t in;
    std::int64_t out;
  };
  const std::map<std::string, Product> products = {{"wq", {names.query, width, width}},
                                                   {"wk", {names.key, width, width}},
                                                   {"wv", {names.value, width, width}},
                                                   {"wo", {names.attention_output, width, width}},
                                                   {"w1", {names.feed_forward.gate, width, inner}},
                                                   {"w2", {names.feed_forward.down, inner, width}},
                                                   {"w3", {names.feed_forward.up, width, inner}}};
  for (const std::string& target : lora.targets) {
    const auto found = products.find(target);
    if (found == products.end()) {
      std::vector<std::string> known;
      for (const auto& [name, product] : products) known.push_back(name);
      throw Exception(ErrorCode::kInvalidArgument,
                      fmt::format("a layer of the language model has no product '{}'; it has {}",
                                  target, fmt::join(known, ", ")));
    }
    const Product& product = found->second;
    const ParameterPlan a{.name = product.name + ".lora_a", .shape = {lora.rank, product.in}};
    const bool is_there =
        std::any_of(unit.parameters.begin(), unit.parameters.end(),
                    [&](const ParameterPlan& parameter) { return parameter.name == a.name; });
    if (is_there) continue;  // named twice
    unit.parameters.push_back(a);
    unit.parameters.push_back(
        {.name = product.name + ".lora_b", .shape = {product.out, lora.rank}});
  }
}

}  // namespace

std::vector<UnitPlan> plan_units(const tensor::Checkpoint& checkpoint,
                                 const models::onellm::Sizes& sizes, TrainedPart trained,
                                 const LoraOptions& lora) {
  if (trained == TrainedPart::kLora && lora.rank < 1) {
    throw Exception(ErrorCode::kInvalidArgument,
                    fmt::format("low-rank updates of rank {}; wanted 1 at least", lora.rank));
  }
  std::vector<UnitPlan> plans(1);
  std::map<std::string, std::size_t, std::less<>> plan_of_layer;
  for (const std::string& layer : layers_of(sizes)) {
    plan_of_layer.emplace(layer + ".", plans.size());
    plans.push_back({.name = layer, .parameters = {}});
  }
  for (const std::string& name : checkpoint.names()) {
    if (!is_trained(name, trained)) continue;
    // The layer whose name it begins with: the one before it in the order of names.
    auto layer = plan_of_layer.upper_bound(name);
    const bool is_in_layer = layer != plan_of_layer.begin() && name.starts_with((--layer)->first);
    plans[is_in_layer ? layer->second : 0].parameters.push_back(
        {.name = name, .shape = checkpoint.find_entry(name)->shape, .decays = decays(name)});
  }
  if (trained == TrainedPart::kLora) {
    for (std::int64_t i = 0; i < sizes.language.num_layers; ++i) {
      add_updates(plans[plan_of_layer.at(layer_name(i) + ".")], sizes, lora);
    }
  }
  plans.erase(std::remove_if(plans.begin() + 1, plans.end(),
                             [](const UnitPlan& plan) { return plan.parameters.empty(); }),
              plans.end());
  return plans;
}

bool is_frozen(Modality modality, TrainedPart trained) {
  const bool has_stem = modality == Modality::kAudio || modality == Modality::kPointCloud;
  return trained != TrainedPart::kAll || !has_stem;
}

}  // namespace contra4::train
