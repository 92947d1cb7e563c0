#include "contra4/train/onellm_network.h"

#include <algorithm>
#include <map>
#include <string_view>
#include <utility>

#include <ATen/ops/cat.h>
#include <ATen/ops/cross_entropy_loss.h>
#include <ATen/ops/scalar_tensor.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/tensor.h>
#include <c10/core/GradMode.h>
#include <fmt/format.h>

#include "contra4/base/error.h"
#include "contra4/models/language/llama_decoder.h"
#include "contra4/models/onellm/encoder.h"

namespace contra4::train {

namespace {

using models::PreparedMedium;
using models::SceneFeatures;
using models::onellm::kPrefix;

constexpr int kMaxScenes = 26;  // one letter each

// The layers read their scale where they find their weights.
tensor::Checkpoint with_scale(const tensor::Checkpoint& weights, double scale) {
  std::vector<std::pair<std::string, at::Tensor>> tensors;
  for (const std::string& name : weights.names()) {
    if (name != nn::kLoraScale) tensors.emplace_back(name, *weights.find(name));
  }
  tensors.emplace_back(nn::kLoraScale, at::scalar_tensor(scale, at::kDouble));
  return tensor::Checkpoint::of_tensors(std::move(tensors), weights.description());
}

// Equal lengths side by side become one group.
nn::SequenceGroups group(std::span<const std::int64_t> lengths) {
  nn::SequenceGroups groups;
  for (const std::int64_t length : lengths) {
    if (!groups.empty() && groups.back().length == length) {
      ++groups.back().count;
    } else {
      groups.push_back({.count = 1, .length = length});
    }
  }
  return groups;
}

std::size_t first_shown(const Example& example) {
  const std::size_t count = example.modalities.size();
  return example.shows_last_scene_only && count > 0 ? count - 1 : 0;
}

}  // namespace

struct OnellmNetwork::State {
  State(const tensor::Checkpoint& weights, const models::onellm::Sizes& model_sizes,
        NetworkOptions network_options)
      : sizes(model_sizes),
        options(std::move(network_options)),
        encoder(weights, sizes, {.device = options.device, .dtype = options.dtype}),
        decoder(weights, sizes.language, models::meta_llama_names(std::string(kPrefix)),
                std::span(&options.device, 1), options.dtype) {
    const std::vector<std::int64_t> shape = {1, 1, sizes.language.width};
    for (const Modality modality : kModalities) {
      const auto tag = [&](const char* which) {
        return nn::load_weight(
            weights, fmt::format("{}{}_tag.{}", kPrefix, which, models::onellm::name_of(modality)),
            shape, {.device = options.device, .dtype = options.dtype});
      };
      tags.emplace(modality, Tags{.start = tag("start"), .end = tag("end")});
    }
  }

  struct Tags {
    at::Tensor start;  // [1, 1, width]
    at::Tensor end;
  };
  // Rows [num_latents, width] of every medium that the examples show.
  using MediaRows = std::map<std::pair<Modality, const SceneFeatures*>, at::Tensor>;

  MediaRows encode(std::span<const Example> examples, nn::BlockRunner& runner) const;
  at::Tensor lay_out(std::span<const Example> examples, const MediaRows& media) const;
  // What the language model gives at places of the examples, laid one behind the other.
  at::Tensor forward(std::span<const Example> examples, const std::vector<std::int64_t>& places,
                     nn::BlockRunner& runner) const;
  std::int64_t prefix_length(const Example& example) const;

  models::onellm::Sizes sizes;
  NetworkOptions options;
  models::onellm::Encoder encoder;
  models::LlamaDecoder decoder;
  std::map<Modality, Tags> tags;
};

std::vector<std::vector<std::int64_t>> scene_label_ids(const text::SentencePiece& tokenizer) {
  std::vector<std::vector<std::int64_t>> ids;
  for (int i = 0; i < kMaxScenes; ++i) {
    ids.push_back(tokenizer.encode(fmt::format("Scene {}: ", static_cast<char>('A' + i))));
  }
  return ids;
}

OnellmNetwork::OnellmNetwork(const tensor::Checkpoint& weights, const models::onellm::Sizes& sizes,
                             const NetworkOptions& options) {
  const c10::NoGradGuard no_gradients;  // what is computed once is no part of a step
  state_ = std::make_unique<State>(with_scale(weights, options.lora_scale), sizes, options);
}

OnellmNetwork::~OnellmNetwork() = default;

OnellmNetwork::State::MediaRows OnellmNetwork::State::encode(std::span<const Example> examples,
                                                             nn::BlockRunner& runner) const {
  MediaRows rows;
  for (const Modality modality : kModalities) {
    std::vector<const SceneFeatures*> distinct;
    for (const Example& example : examples) {
      for (std::size_t i = first_shown(example); i < example.modalities.size(); ++i) {
        const SceneFeatures* medium = example.media[i];
        if (example.modalities[i] != modality ||
            std::find(distinct.begin(), distinct.end(), medium) != distinct.end()) {
          continue;
        }
        distinct.push_back(medium);
      }
    }
    if (distinct.empty()) continue;
    at::Tensor features;
    if (is_frozen(modality, options.trained)) {
      std::vector<at::Tensor> parts;
      for (const SceneFeatures* medium : distinct) {
        parts.push_back((*medium)[0].to(options.device, options.dtype));
      }
      features = at::stack(parts);
    } else {
      std::vector<PreparedMedium> media;
      for (const SceneFeatures* medium : distinct) media.push_back(*medium);
      features = encoder.clip_features(modality, media, runner);
    }
    const std::vector<at::Tensor> parts = encoder.resample(modality, features, runner).unbind(0);
    for (std::size_t i = 0; i < distinct.size(); ++i) {
      rows.emplace(std::pair(modality, distinct[i]), parts[i]);
    }
  }
  return rows;
}

// All tokens are embedded at once and taken apart at once: the gradient of the table, which is
// large, is made once.
at::Tensor OnellmNetwork::State::lay_out(std::span<const Example> examples,
                                         const MediaRows& media) const {
  std::vector<std::int64_t> ids;
  std::vector<std::int64_t> sizes_of_parts;
  const auto add = [&](std::span<const std::int64_t> part) {
    ids.insert(ids.end(), part.begin(), part.end());
    sizes_of_parts.push_back(std::ssize(part));
  };
  for (const Example& example : examples) {
    add(example.ids.first(1));
    for (std::size_t i = first_shown(example); i < example.modalities.size(); ++i) {
      add(options.label_ids[i]);
    }
    add(example.ids.subspan(1));
  }
  const std::vector<at::Tensor> words = decoder.embed(ids).split_with_sizes(sizes_of_parts);
  std::vector<at::Tensor> pieces;
  auto next = words.begin();
  for (const Example& example : examples) {
    pieces.push_back(*next++);
    for (std::size_t i = first_shown(example); i < example.modalities.size(); ++i) {
      const Tags& around = tags.at(example.modalities[i]);
      pieces.insert(pieces.end(),
                    {*next++, around.start.squeeze(0),
                     media.at({example.modalities[i], example.media[i]}), around.end.squeeze(0)});
    }
    pieces.push_back(*next++);
  }
  return at::cat(pieces);
}

at::Tensor OnellmNetwork::State::forward(std::span<const Example> examples,
                                         const std::vector<std::int64_t>& places,
                                         nn::BlockRunner& runner) const {
  std::vector<std::int64_t> lengths;
  for (const Example& example : examples) {
    CONTRA4_CHECK(!example.ids.empty() && example.media.size() == example.modalities.size() &&
                      example.modalities.size() <= options.label_ids.size(),
                  "a begin token, and a medium and a label for every scene");
    const std::int64_t length = prefix_length(example) + std::ssize(example.ids);
    if (length > sizes.language.max_positions) {
      throw Exception(
          ErrorCode::kInvalidArgument,
          fmt::format("a question takes {} positions with its scenes and its answer; the model "
                      "has {}: shorten it, or bound its text",
                      length, sizes.language.max_positions));
    }
    lengths.push_back(length);
  }
  const at::Tensor x = lay_out(examples, encode(examples, runner));
  return decoder.forward_sequences(x, group(lengths),
                                   at::tensor(places, at::kLong).to(options.device), runner);
}

// Rows of the scenes: they stand between the begin token and the others.
std::int64_t OnellmNetwork::State::prefix_length(const Example& example) const {
  std::int64_t length = 0;
  for (std::size_t i = first_shown(example); i < example.modalities.size(); ++i) {
    length += std::ssize(options.label_ids[i]) + 2 + sizes.num_latents;
  }
  return length;
}

at::Tensor OnellmNetwork::loss_sum(std::span<const Example> examples,
                                   nn::BlockRunner& runner) const {
  CONTRA4_CHECK(!examples.empty(), "no example");
  std::vector<std::int64_t> places;  // of what stands before a labelled token
  std::vector<std::int64_t> targets;
  std::int64_t begin = 0;
  for (const Example& example : examples) {
    const std::int64_t prefix = state_->prefix_length(example);
    for (std::size_t i = 1; i < example.labels.size(); ++i) {
      if (!example.labels[i]) continue;
      places.push_back(begin + prefix + static_cast<std::int64_t>(i) - 1);
      targets.push_back(example.ids[i]);
    }
    begin += prefix + std::ssize(example.ids);
  }
  const bool has_labels = !places.empty();
  if (!has_labels) places.push_back(0);
  const at::Tensor logits = state_->decoder.logits(state_->forward(examples, places, runner));
  if (!has_labels) return logits.sum().mul(0);
  return at::cross_entropy_loss(logits, at::tensor(targets, at::kLong).to(logits.device()), {},
                                at::Reduction::Sum);
}

at::Tensor OnellmNetwork::last_logits(std::span<const Example> examples,
                                      std::span<const std::int64_t> num_rows,
                                      nn::BlockRunner& runner) const {
  CONTRA4_CHECK(!examples.empty() && examples.size() == num_rows.size(),
                "a number of rows for each example");
  std::vector<std::int64_t> places;
  std::int64_t end = 0;
  for (std::size_t i = 0; i < examples.size(); ++i) {
    end += length_of(examples[i]);
    for (std::int64_t row = num_rows[i]; row > 0; --row) places.push_back(end - row);
  }
  return state_->decoder.logits(state_->forward(examples, places, runner));
}

std::int64_t OnellmNetwork::length_of(const Example& example) const {
  return state_->prefix_length(example) + std::ssize(example.ids);
}

const models::onellm::Sizes& OnellmNetwork::sizes() const {
  return state_->sizes;
}

const NetworkOptions& OnellmNetwork::options() const {
  return state_->options;
}

std::vector<SceneFeatures> OnellmNetwork::freeze(Modality modality,
                                                 std::span<const PreparedMedium> media) const {
  if (!is_frozen(modality, state_->options.trained)) return {media.begin(), media.end()};
  // Not c10::InferenceMode: layers that are trained keep what they were given.
  const c10::NoGradGuard no_gradients;
  nn::PlainRunner runner;
  const at::Tensor features = state_->encoder.clip_features(modality, media, runner);
  std::vector<SceneFeatures> frozen;
  // Copies: a medium alone would keep the rows of all.
  for (std::int64_t i = 0; i < features.size(0); ++i) {
    frozen.push_back({features.select(0, i).clone()});
  }
  return frozen;
}

}  // namespace contra4::train
