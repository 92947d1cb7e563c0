#include "contra4/train/onellm_network.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include <ATen/ops/allclose.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/cross_entropy_loss.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/tensor.h>
#include <c10/core/GradMode.h>
#include <c10/core/InferenceMode.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "contra4/models/onellm/model.h"
#include "contra4/models/onellm/point_groups.h"
#include "contra4/models/onellm/prompt.h"
#include "contra4/text/sentence_piece.h"
#include "tests/support/error_of.h"
#include "tests/support/tensors.h"
#include "tests/support/test_env.h"
#include "tests/support/toy_onellm.h"
#include "tests/train/trained_network.h"

namespace contra4::train {
namespace {

using ::contra4::testing::error_of;
using ::contra4::testing::TrainedNetwork;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr const char* kQuestion = "Which is louder?";

models::PreparedMedium prepared(Modality modality, float phase) {
  switch (modality) {
    case Modality::kImage:
      return {testing::wavy({3, 224, 224}, phase)};
    case Modality::kVideo:
      return {testing::wavy({2, 3, 224, 224}, phase)};
    case Modality::kAudio:
      return {testing::wavy({1, 128, 1024}, phase)};
    case Modality::kPointCloud: {
      models::onellm::PointGroups groups =
          models::onellm::group_points(testing::wavy({1500, 6}, phase), {});
      return {groups.points, groups.rows};
    }
  }
  return {};
}

class OnellmNetworkTest : public ::testing::Test {
 protected:
  OnellmNetworkTest() {
    testing::write_toy_onellm(folder_.path());
    source_.emplace(folder_ / "model.safetensors");
    tokenizer_.emplace(folder_ / "tokenizer.model");
    sizes_ =
        models::onellm::read_sizes(*source_, models::read_llama_params(folder_ / "params.json"));
    ids_ = models::onellm::make_prompt(*tokenizer_, kQuestion, 2, {}).ids;
    short_ids_ = models::onellm::make_prompt(*tokenizer_, "Which?", 2, {}).ids;
  }

  NetworkOptions options(TrainedPart trained = TrainedPart::kAll,
                         at::ScalarType dtype = at::kFloat) const {
    return {.trained = trained, .dtype = dtype, .label_ids = scene_label_ids(*tokenizer_)};
  }
  std::unique_ptr<TrainedNetwork> make(const NetworkOptions& options,
                                       const LoraOptions& lora = {}) const {
    return std::make_unique<TrainedNetwork>(*source_, sizes_, options, lora);
  }
  // Frozen once per network, kind and phase.
  const models::SceneFeatures* medium(const OnellmNetwork& network, Modality modality,
                                      float phase) {
    auto& features = media_[{&network, modality, phase}];
    if (features.empty()) {
      const std::vector<models::PreparedMedium> one = {prepared(modality, phase)};
      features = network.freeze(modality, one)[0];
    }
    return &features;
  }
  // Over a picture and a sound; the last `num_labels` tokens are to be predicted.
  Example example(const OnellmNetwork& network, const std::vector<std::int64_t>& ids, float phase,
                  std::size_t num_labels) {
    Example made{.ids = ids,
                 .labels = std::vector<bool>(ids.size()),
                 .modalities = {Modality::kImage, Modality::kAudio},
                 .media = {}};
    std::fill(made.labels.end() - static_cast<std::ptrdiff_t>(num_labels), made.labels.end(), true);
    for (const Modality modality : made.modalities) {
      made.media.push_back(medium(network, modality, phase));
    }
    return made;
  }
  // After backward() of the loss.
  std::map<std::string, at::Tensor> gradients(TrainedNetwork& trained,
                                              const std::vector<Example>& examples) {
    trained.zero_gradients();
    nn::PlainRunner runner;
    trained.network->loss_sum(examples, runner).backward();
    std::map<std::string, at::Tensor> found;
    for (const auto& [name, leaf] : trained.leaves) {
      if (leaf.grad().defined()) found.emplace(name, leaf.grad().clone());
    }
    return found;
  }

  testing::TempDir folder_;
  std::optional<tensor::Checkpoint> source_;
  std::optional<text::SentencePiece> tokenizer_;
  models::onellm::Sizes sizes_;
  std::vector<std::int64_t> ids_;
  std::vector<std::int64_t> short_ids_;
  std::map<std::tuple<const OnellmNetwork*, Modality, float>, models::SceneFeatures> media_;
};

TEST_F(OnellmNetworkTest, TheLossOfTwoIsTheSumOfEach) {
  const auto trained = make(options(TrainedPart::kAll, at::kDouble));
  const OnellmNetwork& network = *trained->network;
  const std::vector<Example> both = {example(network, ids_, 0.1F, 3),
                                     example(network, short_ids_, 0.7F, 2)};
  nn::PlainRunner runner;
  const at::Tensor together = network.loss_sum(both, runner);
  EXPECT_EQ(together.scalar_type(), at::kDouble);
  double sum = 0;
  std::map<std::string, at::Tensor> expected;
  for (const Example& one : both) {
    sum += network.loss_sum(std::span(&one, 1), runner).item<double>();
    for (auto& [name, gradient] : gradients(*trained, {one})) {
      auto& total = expected[name];
      total = total.defined() ? total.add(gradient) : gradient;
    }
  }
  EXPECT_NEAR(together.item<double>(), sum, 1e-9);
  const auto found = gradients(*trained, both);
  EXPECT_EQ(found.size(), expected.size());
  for (const auto& [name, gradient] : expected) {
    EXPECT_TRUE(at::allclose(found.at(name), gradient, 1e-7, 1e-9)) << name;
  }
}

// Central differences of the loss along a direction in all weights that begin alike, through stems,
// CLIP, resampler and language model.
TEST_F(OnellmNetworkTest, GradientsAreThoseOfDifferences) {
  const auto trained = make(options(TrainedPart::kAll, at::kDouble));
  const OnellmNetwork& network = *trained->network;
  Example one = example(network, ids_, 0.1F, 3);
  one.modalities.push_back(Modality::kPointCloud);
  one.media.push_back(medium(network, Modality::kPointCloud, 0.3F));
  const std::vector<Example> examples = {one};
  const auto found = gradients(*trained, examples);
  nn::PlainRunner runner;
  const c10::NoGradGuard no_gradients;
  for (const char* prefix : {"llma.conv1.audio.", "llma.conv1.point.", "llma.positional_",
                             "llma.re", "llma.routers.", "llma."}) {
    constexpr double kStep = 1e-7;
    double slope = 0;
    const auto move = [&](double step) {
      for (auto& [name, leaf] : trained->leaves) {
        if (!name.starts_with(prefix) || !found.contains(name)) continue;
        const at::Tensor along = testing::wavy(leaf.sizes().vec(), 0.9F).to(at::kDouble);
        leaf.add_(along, step);
        if (step > 0) slope += found.at(name).mul(along).sum().item<double>();
      }
      return network.loss_sum(examples, runner).item<double>();
    };
    const double above = move(kStep);
    const double below = move(-2 * kStep);
    const double expected = (above - below) / (2 * kStep);
    EXPECT_NEAR(slope, expected, 1e-5 * std::max(1.0, std::abs(expected))) << prefix;
  }
}

TEST_F(OnellmNetworkTest, LogitsAtLabelsAreThoseOfTheWholeSequence) {
  const auto trained = make(options());
  const OnellmNetwork& network = *trained->network;
  const std::vector<Example> both = {example(network, ids_, 0.1F, 3),
                                     example(network, short_ids_, 0.7F, 2)};
  nn::PlainRunner runner;
  const std::vector<std::int64_t> whole = {network.length_of(both[0]), network.length_of(both[1])};
  const at::Tensor logits = network.last_logits(both, whole, runner);
  EXPECT_EQ(logits.sizes(),
            at::IntArrayRef({whole[0] + whole[1], sizes_.language.vocabulary_size}));
  // What follows the last row is unknown; the row before it predicts the last token, and so on.
  double expected = 0;
  std::int64_t end = 0;
  for (std::size_t i = 0; i < both.size(); ++i) {
    end += whole[i];
    const auto count = static_cast<std::int64_t>(3 - i);
    const std::vector<std::int64_t> last(both[i].ids.end() - count, both[i].ids.end());
    expected += at::cross_entropy_loss(logits.narrow(0, end - count - 1, count),
                                       at::tensor(last, at::kLong), {}, at::Reduction::Sum)
                    .item<float>();
  }
  EXPECT_NEAR(network.loss_sum(both, runner).item<float>(), expected, 1e-3);
}

TEST_F(OnellmNetworkTest, WithoutLabelsAllLayersAreReachedByZeros) {
  const auto trained = make(options());
  const std::vector<Example> examples = {example(*trained->network, ids_, 0.1F, 0)};
  nn::PlainRunner runner;
  EXPECT_EQ(trained->network->loss_sum(examples, runner).item<float>(), 0);
  const auto found = gradients(*trained, examples);
  for (const auto& [name, gradient] : found) {
    EXPECT_EQ(gradient.abs().max().item<float>(), 0) << name;
  }
  for (const UnitPlan& plan : std::span(trained->plans).subspan(1)) {  // the root has all kinds
    for (const ParameterPlan& parameter : plan.parameters) {
      EXPECT_TRUE(found.contains(parameter.name)) << parameter.name;
    }
  }
  EXPECT_TRUE(found.contains("llma.conv1.audio.weight"));
  EXPECT_FALSE(found.contains("llma.conv1.point.conv1.weight"));  // not shown
}

TEST_F(OnellmNetworkTest, SaysWhatTheEvaluationSays) {
  const auto trained = make(options());
  const OnellmNetwork& network = *trained->network;
  models::onellm::Model model(*source_, sizes_, text::SentencePiece(folder_ / "tokenizer.model"),
                              {});
  nn::PlainRunner runner;
  std::vector<models::SceneFeatures> features;
  models::SceneQuestion question{.text = kQuestion, .modalities = {}, .features = {}};
  Example shown{.ids = {}, .labels = {}, .modalities = {}, .media = {}};
  features.reserve(kModalities.size());
  for (const Modality modality : kModalities) {
    const std::vector<models::PreparedMedium> one = {prepared(modality, 0.2F)};
    features.push_back(model.encode(modality, one)[0]);
    question.modalities.push_back(modality);
    question.features.push_back(&features.back());
    shown.modalities.push_back(modality);
    shown.media.push_back(medium(network, modality, 0.2F));
  }
  const auto ids = models::onellm::make_prompt(*tokenizer_, kQuestion, kModalities.size(), {}).ids;
  shown.ids = ids;
  const at::Tensor expected = model.first_logits(question);
  const std::vector<std::int64_t> one_row = {1};
  // With gradients and without.
  const at::Tensor recorded = network.last_logits(std::span(&shown, 1), one_row, runner);
  EXPECT_TRUE(recorded.requires_grad());
  EXPECT_TRUE(at::allclose(recorded.squeeze(0), expected, 1e-4, 1e-5));
  const c10::InferenceMode no_gradients;
  const at::Tensor plain = network.last_logits(std::span(&shown, 1), one_row, runner);
  EXPECT_TRUE(at::allclose(plain.squeeze(0), expected, 1e-4, 1e-5));
}

TEST_F(OnellmNetworkTest, TheLastSceneAloneKeepsItsOwnLetter) {
  const auto trained = make(options());
  const OnellmNetwork& network = *trained->network;
  Example last = example(network, ids_, 0.1F, 3);
  last.shows_last_scene_only = true;
  nn::PlainRunner runner;
  const std::vector<std::int64_t> one_row = {1};
  const at::Tensor found = network.last_logits(std::span(&last, 1), one_row, runner);
  NetworkOptions renamed = options();
  std::swap(renamed.label_ids[0], renamed.label_ids[1]);
  const auto other = make(renamed);
  Example alone = example(*other->network, ids_, 0.1F, 3);
  alone.modalities.erase(alone.modalities.begin());
  alone.media.erase(alone.media.begin());
  EXPECT_EQ(other->network->length_of(alone), network.length_of(last));
  EXPECT_TRUE(at::allclose(
      found, other->network->last_logits(std::span(&alone, 1), one_row, runner), 1e-5, 1e-6));
  // The scenes before it are not even encoded.
  EXPECT_FALSE(gradients(*trained, {last}).contains("llma.resample_tokens.image"));
}

// A medium that two examples show is encoded once, and gets the gradients of both.
TEST_F(OnellmNetworkTest, RunsEachLayerInOrderAndOnceAModality) {
  class Recorder final : public nn::BlockRunner {
   public:
    at::Tensor run(std::string_view name, const at::Tensor& x,
                   const nn::BlockFunction& block) override {
      names.emplace_back(name);
      const at::Tensor before = x.detach().clone();
      at::Tensor out = block(x);
      EXPECT_TRUE(at::equal(x, before)) << name;
      return out;
    }
    std::vector<std::string> names;
  };
  const auto trained = make(options());
  const OnellmNetwork& network = *trained->network;
  const std::vector<Example> both = {example(network, ids_, 0.1F, 1),
                                     example(network, short_ids_, 0.1F, 1)};
  std::vector<std::string> resampler;
  for (const char* expert : {"0", "1", "2"}) {
    for (const char* layer : {"0", "1"}) {
      resampler.push_back(std::string("llma.resample_layers.") + expert + "." + layer);
    }
  }
  std::vector<std::string> expected;  // CLIP runs for the sound alone: the picture is frozen
  expected.insert(expected.end(), resampler.begin(), resampler.end());
  expected.emplace_back("llma.clip.visual.transformer.resblocks.0");
  expected.insert(expected.end(), resampler.begin(), resampler.end());
  expected.insert(expected.end(), {"llma.layers.0", "llma.layers.1"});
  // Modalities come in one order whatever the examples'.
  if (std::find(kModalities.begin(), kModalities.end(), Modality::kAudio) <
      std::find(kModalities.begin(), kModalities.end(), Modality::kImage)) {
    std::rotate(expected.begin(), expected.begin() + std::ssize(resampler), expected.end() - 2);
  }
  Recorder with_gradients;
  network.loss_sum(both, with_gradients);
  EXPECT_EQ(with_gradients.names, expected);
  const c10::NoGradGuard no_gradients;
  Recorder without;
  network.loss_sum(both, without);
  EXPECT_EQ(without.names, expected);
}

TEST_F(OnellmNetworkTest, LowRankUpdatesOfZeroChangeNothing) {
  const LoraOptions lora{.rank = 3, .targets = {"wq", "w2", "w1", "wq"}};
  const auto plain = make(options(TrainedPart::kProjector));
  const auto updated = make(options(TrainedPart::kLora), lora);
  nn::PlainRunner runner;
  const auto loss = [&](TrainedNetwork& trained) {
    const std::vector<Example> one = {example(*trained.network, ids_, 0.1F, 3)};
    return trained.network->loss_sum(one, runner).item<float>();
  };
  EXPECT_EQ(loss(*updated), loss(*plain));
  const std::vector<Example> one = {example(*updated->network, ids_, 0.1F, 3)};
  const auto found = gradients(*updated, one);
  EXPECT_GT(found.at("llma.layers.1.attention.wq.lora_b").abs().max().item<float>(), 0);
  EXPECT_GT(found.at("llma.layers.0.feed_forward.w2.lora_b").abs().max().item<float>(), 0);
  EXPECT_FALSE(found.contains("llma.layers.0.attention.wq.weight"));
  // And then they count, by their scale.
  for (auto& [name, leaf] : updated->leaves) {
    const c10::NoGradGuard no_gradients;
    if (name.ends_with(".lora_b")) leaf.add_(0.05);
  }
  const float full = loss(*updated);
  EXPECT_NE(full, loss(*plain));
  NetworkOptions none = options(TrainedPart::kLora);
  none.lora_scale = 0;
  const OnellmNetwork unscaled(*updated->weights, sizes_, none);
  const std::vector<Example> same = {example(unscaled, ids_, 0.1F, 3)};
  EXPECT_EQ(unscaled.loss_sum(same, runner).item<float>(), loss(*plain));
}

TEST_F(OnellmNetworkTest, RefusesWhatIsTooLong) {
  const auto trained = make(options());
  const std::vector<std::int64_t> ids(3000, 5);
  const std::vector<Example> examples = {example(*trained->network, ids, 0.1F, 1)};
  nn::PlainRunner runner;
  const Error error = error_of([&] { trained->network->loss_sum(examples, runner); });
  EXPECT_EQ(error.code, ErrorCode::kInvalidArgument);
  EXPECT_THAT(error.message, HasSubstr("the model has 2048"));
}

TEST_F(OnellmNetworkTest, TrainsInBFloat16) {
  const auto exact = make(options());
  const auto rough = make(options(TrainedPart::kAll, at::kBFloat16));
  nn::PlainRunner runner;
  std::vector<Example> one = {example(*exact->network, ids_, 0.1F, 3)};
  const at::Tensor expected = exact->network->loss_sum(one, runner);
  one = {example(*rough->network, ids_, 0.1F, 3)};
  const at::Tensor found = rough->network->loss_sum(one, runner);
  EXPECT_EQ(found.scalar_type(), at::kFloat);
  EXPECT_NEAR(found.item<float>(), expected.item<float>(), 0.5);
  const auto all = gradients(*rough, one);
  EXPECT_EQ(all.at("llma.conv1.audio.weight").scalar_type(), at::kBFloat16);
  EXPECT_GT(all.at("llma.conv1.audio.weight").abs().max().item().toDouble(), 0);
}

// --- Which weights are trained.

std::set<std::string> names_of(const UnitPlan& plan) {
  std::set<std::string> names;
  for (const ParameterPlan& parameter : plan.parameters) names.insert(parameter.name);
  return names;
}

std::vector<std::string> layers_of(const std::vector<UnitPlan>& plans) {
  std::vector<std::string> names;
  for (const UnitPlan& plan : plans) names.push_back(plan.name);
  return names;
}

TEST_F(OnellmNetworkTest, AllIsEverythingButClip) {
  const auto plans = plan_units(*source_, sizes_, TrainedPart::kAll, {});
  EXPECT_THAT(layers_of(plans),
              ElementsAre("", "llma.resample_layers.0.0", "llma.resample_layers.0.1",
                          "llma.resample_layers.1.0", "llma.resample_layers.1.1",
                          "llma.resample_layers.2.0", "llma.resample_layers.2.1", "llma.layers.0",
                          "llma.layers.1"));
  std::size_t count = 0;
  for (const UnitPlan& plan : plans) count += plan.parameters.size();
  std::size_t wanted = 0;
  for (const std::string& name : source_->names()) wanted += name.starts_with("llma.clip.") ? 0 : 1;
  EXPECT_EQ(count, wanted);
  const auto root = names_of(plans[0]);
  for (const char* name :
       {"llma.tok_embeddings.weight", "llma.output.weight", "llma.norm.weight",
        "llma.conv1.audio.bias", "llma.positional_embedding.point", "llma.start_tag.video"}) {
    EXPECT_TRUE(root.contains(name)) << name;
  }
  EXPECT_EQ(plans[8].parameters.size(), 9U);
}

TEST_F(OnellmNetworkTest, WhatDecaysIsAsPublished) {
  std::map<std::string, bool> decays;
  for (const UnitPlan& plan : plan_units(*source_, sizes_, TrainedPart::kAll, {})) {
    for (const ParameterPlan& parameter : plan.parameters) {
      decays[parameter.name] = parameter.decays;
    }
  }
  for (const char* name : {"llma.norm.weight", "llma.layers.0.ffn_norm.weight",
                           "llma.resample_layers.1.0.attention_norm.weight",
                           "llma.conv1.audio.bias", "llma.clip_proj1.audio.1.bias"}) {
    EXPECT_FALSE(decays.at(name)) << name;
  }
  for (const char* name : {"llma.clip_proj1.audio.1.weight", "llma.clip_proj2.image.1.weight",
                           "llma.tok_embeddings.weight", "llma.start_tag.audio",
                           "llma.resample_tokens.audio", "llma.layers.0.attention.wq.weight"}) {
    EXPECT_TRUE(decays.at(name)) << name;
  }
}

TEST_F(OnellmNetworkTest, TheProjectorIsWhatLiesBetween) {
  const auto plans = plan_units(*source_, sizes_, TrainedPart::kProjector, {});
  EXPECT_EQ(plans.size(), 7U);
  const auto root = names_of(plans[0]);
  EXPECT_TRUE(root.contains("llma.clip_proj1.video.0.weight"));
  EXPECT_TRUE(root.contains("llma.end_tag.point"));
  EXPECT_FALSE(root.contains("llma.conv1.audio.weight"));
  EXPECT_FALSE(root.contains("llma.positional_embedding.audio"));
  EXPECT_FALSE(root.contains("llma.tok_embeddings.weight"));
  EXPECT_FALSE(root.contains("llma.norm.weight"));
  const auto trained = make(options(TrainedPart::kProjector));
  const std::vector<Example> one = {example(*trained->network, ids_, 0.1F, 3)};
  EXPECT_EQ((*one[0].media[1])[0].dim(), 2);  // the sound is frozen too
  EXPECT_TRUE(gradients(*trained, one).contains("llma.clip_proj1.audio.0.weight"));
}

TEST_F(OnellmNetworkTest, LowRankUpdatesComeWithTheProjector) {
  const LoraOptions lora{.rank = 4, .targets = {"wv", "w2"}};
  const auto plans = plan_units(*source_, sizes_, TrainedPart::kLora, lora);
  ASSERT_EQ(plans.size(), 9U);
  EXPECT_EQ(names_of(plans[0]),
            names_of(plan_units(*source_, sizes_, TrainedPart::kProjector, {})[0]));
  ASSERT_EQ(plans[7].parameters.size(), 4U);
  EXPECT_EQ(plans[7].parameters[0].name, "llma.layers.0.attention.wv.lora_a");
  EXPECT_THAT(plans[7].parameters[0].shape, ElementsAre(4, 32));
  EXPECT_EQ(plans[7].parameters[3].name, "llma.layers.0.feed_forward.w2.lora_b");
  EXPECT_THAT(plans[7].parameters[3].shape, ElementsAre(32, 4));
  EXPECT_THAT(plans[7].parameters[2].shape, ElementsAre(4, 96));
}

TEST_F(OnellmNetworkTest, RefusesTargetsAndRanksThatAreNone) {
  const auto plan = [&](const LoraOptions& lora) {
    return error_of([&] { plan_units(*source_, sizes_, TrainedPart::kLora, lora); });
  };
  EXPECT_THAT(plan({.rank = 2, .targets = {"q_proj"}}).message, HasSubstr("no product 'q_proj'"));
  EXPECT_EQ(plan({.rank = 0}).code, ErrorCode::kInvalidArgument);
}

TEST_F(OnellmNetworkTest, SoundsAndPointsAreFrozenUnlessTheirStemsAreTrained) {
  for (const TrainedPart trained :
       {TrainedPart::kAll, TrainedPart::kLora, TrainedPart::kProjector}) {
    const bool is_all = trained == TrainedPart::kAll;
    EXPECT_TRUE(is_frozen(Modality::kImage, trained));
    EXPECT_TRUE(is_frozen(Modality::kVideo, trained));
    EXPECT_EQ(is_frozen(Modality::kAudio, trained), !is_all);
    EXPECT_EQ(is_frozen(Modality::kPointCloud, trained), !is_all);
  }
}

}  // namespace
}  // namespace contra4::train
