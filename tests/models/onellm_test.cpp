// OneLLM at toy size: what the goldens do not say.
#include "contra4/models/registry.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <filesystem>
#include <functional>
#include <memory>
#include <numeric>
#include <optional>
#include <string>
#include <vector>

#include <ATen/ops/allclose.h>
#include <ATen/ops/log_softmax.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "contra4/io/file.h"
#include "contra4/models/onellm/load.h"
#include "contra4/models/onellm/model.h"
#include "contra4/models/onellm/point_groups.h"
#include "tests/support/error_of.h"
#include "tests/support/tensors.h"
#include "tests/support/test_env.h"
#include "tests/support/toy_onellm.h"

namespace contra4::models::onellm {
namespace {

using ::contra4::testing::error_of;
using ::testing::HasSubstr;

class OneLlmTest : public ::testing::Test {
 protected:
  void SetUp() override { testing::write_toy_onellm(folder_.path()); }

  using Change = std::function<void(NativeModelOptions&)>;
  std::unique_ptr<SceneModel> make(const Change& change = {}) const {
    NativeModelOptions options;
    if (change) change(options);
    options.checkpoint = folder_.path();
    options.devices = {"cpu"};
    options.num_threads = 1;
    return make_scene_model("onellm", options);
  }
  static PreparedMedium medium(Modality modality, float phase) {
    switch (modality) {
      case Modality::kImage:
        return {testing::wavy({3, 224, 224}, phase)};
      case Modality::kVideo:
        return {testing::wavy({2, 3, 224, 224}, phase)};
      case Modality::kAudio:
        return {testing::wavy({1, 128, 1024}, phase)};
      case Modality::kPointCloud: {
        PointGroups groups = group_points(testing::wavy({1500, 6}, phase), {});
        return {groups.points, groups.rows};
      }
    }
    return {};
  }
  // Two media of each modality, encoded one by one.
  std::vector<SceneFeatures> features(SceneModel& model) const {
    std::vector<SceneFeatures> all;
    for (const Modality modality : kModalities) {
      for (const float phase : {0.1F, 0.7F}) {
        const std::vector<PreparedMedium> one = {medium(modality, phase)};
        all.push_back(model.encode(modality, one)[0]);
      }
    }
    return all;
  }
  // Scenes are numbers of features().
  static SceneQuestion question(const std::vector<SceneFeatures>& all, std::string_view text,
                                const std::vector<std::size_t>& scenes) {
    SceneQuestion asked{.text = text, .modalities = {}, .features = {}};
    for (const std::size_t scene : scenes) {
      asked.modalities.push_back(kModalities[scene / 2]);
      asked.features.push_back(&all[scene]);
    }
    return asked;
  }

  testing::TempDir folder_;
};

TEST_F(OneLlmTest, MediaInABatchAreEncodedAsAlone) {
  const auto model = make();
  for (const Modality modality : kModalities) {
    const std::vector<PreparedMedium> both = {medium(modality, 0.1F), medium(modality, 0.7F)};
    const auto together = model->encode(modality, both);
    ASSERT_EQ(together.size(), 2U);
    EXPECT_EQ(together[0][0].sizes(), at::IntArrayRef({5, 32}));
    EXPECT_FALSE(at::allclose(together[0][0], together[1][0], 1e-3, 1e-3));
    for (std::size_t i = 0; i < 2; ++i) {
      const auto alone = model->encode(modality, std::span(both).subspan(i, 1));
      EXPECT_TRUE(at::allclose(together[i][0], alone[0][0], 1e-4, 1e-5)) << to_string(modality);
    }
  }
}

TEST_F(OneLlmTest, AQuestionInABatchIsAnsweredAsAlone) {
  for (const bool is_compat : {false, true}) {
    const auto model = make([&](NativeModelOptions& options) {
      options.is_compat = is_compat;
      options.answer = AnswerMode::kText;
      options.max_new_tokens = 6;
    });
    const auto all = features(*model);
    std::vector<SceneQuestion> questions = {
        question(all, "Which is louder?", {0, 1}), question(all, "Which is louder?", {1, 0}),
        question(all, "Which one?", {2, 5, 7}),    question(all, "Which one?", {2, 7, 5}),
        question(all, "Say it", {3, 3, 4, 0}),     question(all, "Say it now", {3, 3, 0, 4})};
    const auto together = model->answer(questions);
    for (std::size_t i = 0; i < questions.size(); ++i) {
      const auto alone = model->answer(std::span(questions).subspan(i, 1));
      EXPECT_EQ(together[i].token_ids, alone[0].token_ids) << i;
      EXPECT_EQ(together[i].text, alone[0].text);
      EXPECT_LE(together[i].token_ids.size(), 6U);
    }
  }
}

TEST_F(OneLlmTest, TheScoreOfASceneIsTheLogProbabilityOfItsName) {
  const auto model = make();
  auto& toy = dynamic_cast<Model&>(*model);
  const auto all = features(*model);
  const std::vector<SceneQuestion> asked = {question(all, "Which?", {4, 0, 2})};
  const SceneAnswer answer = model->answer(asked)[0];
  ASSERT_EQ(answer.scores.size(), 3U);
  ASSERT_TRUE(answer.choice.has_value());
  const auto best = std::max_element(answer.scores.begin(), answer.scores.end());
  EXPECT_EQ(*answer.choice, best - answer.scores.begin());
  EXPECT_EQ(answer.text, std::string("Scene ") + static_cast<char>('A' + *answer.choice));
  // The first factor is what the first logits say; names begin alike.
  const std::int64_t first = answer.token_ids[0];
  const double bound = toy.first_logits(asked[0]).log_softmax(0).select(0, first).item<double>();
  for (const double score : answer.scores) EXPECT_LT(score, bound);
  EXPECT_EQ(
      answer.sequence_length, std::ssize(answer.prompt_token_ids) + [&] {
        const text::SentencePiece pieces(folder_ / "tokenizer.model");
        std::int64_t labels = 0;
        for (const char* label : {"Scene A: ", "Scene B: ", "Scene C: "}) {
          labels += std::ssize(pieces.encode(label));
        }
        return labels + 3 * (5 + 2);
      }());
}

TEST_F(OneLlmTest, CompatIsTextWhateverIsAsked) {
  const auto model = make([](NativeModelOptions& options) {
    options.is_compat = true;
    options.answer = AnswerMode::kLogprobs;
  });
  const auto all = features(*model);
  const std::vector<SceneQuestion> asked = {question(all, "Which?", {4, 0})};
  const SceneAnswer answer = model->answer(asked)[0];
  EXPECT_FALSE(answer.choice.has_value());
  EXPECT_EQ(answer.token_ids.size(), 5U);
  EXPECT_THAT(model->description_json(), HasSubstr("\"compat\": true"));
}

TEST_F(OneLlmTest, AQuestionThatIsTooLongFailsAlone) {
  const auto model = make();
  const auto all = features(*model);
  const std::string text(3000, '?');
  const std::vector<SceneQuestion> asked = {
      question(all, text, {4, 0}), question(all, "Which?", {4, 0}), question(all, "Which?", {})};
  const auto answers = model->answer(asked);
  ASSERT_TRUE(answers[0].error.has_value());
  EXPECT_EQ(answers[0].error->code, ErrorCode::kInvalidArgument);
  EXPECT_THAT(answers[0].error->message, HasSubstr("the model has 2048"));
  EXPECT_FALSE(answers[1].error.has_value());
  EXPECT_TRUE(answers[1].choice.has_value());
  EXPECT_TRUE(answers[2].error.has_value());
  const auto bounded =
      make([](NativeModelOptions& options) { options.max_text_tokens = 500; })->answer(asked);
  EXPECT_FALSE(bounded[0].error.has_value());
  EXPECT_LE(bounded[0].prompt_token_ids.size(), 500U);
}

TEST_F(OneLlmTest, HalfTypesComputeNearlyTheSame) {
  const auto full = make();
  for (const ComputeType type : {ComputeType::kBFloat16, ComputeType::kFloat16}) {
    const auto half = make([&](NativeModelOptions& options) { options.compute_type = type; });
    const auto exact = features(*full);
    const auto rough = features(*half);
    for (std::size_t i = 0; i < exact.size(); ++i) {
      const double difference =
          rough[i][0].to(at::kFloat).sub(exact[i][0]).abs().mean().item<double>();
      EXPECT_LT(difference, 0.1) << i;
      EXPECT_GT(difference, 0) << i;
    }
    const std::vector<SceneQuestion> asked = {question(rough, "Which?", {4, 0, 2})};
    const SceneAnswer answer = half->answer(asked)[0];
    const std::vector<SceneQuestion> same = {question(exact, "Which?", {4, 0, 2})};
    const SceneAnswer expected = full->answer(same)[0];
    for (std::size_t i = 0; i < 3; ++i) EXPECT_NEAR(answer.scores[i], expected.scores[i], 0.5);
    EXPECT_NE(half->feature_key(), full->feature_key());
  }
}

TEST_F(OneLlmTest, TheFeatureKeyIsThatOfTheEncodersWeights) {
  const std::string key = make()->feature_key();
  EXPECT_EQ(make([](NativeModelOptions& options) { options.is_compat = true; })->feature_key(),
            key);  // float32: the same features
  const auto weights = testing::toy_onellm_weights({});
  const auto with_change = [&](const std::string& name) {
    auto changed = weights;
    for (auto& tensor : changed) {
      if (tensor.name == name) tensor.bytes.back() ^= 1;
    }
    testing::write_safetensors(folder_ / "model.safetensors", changed);
    return make()->feature_key();
  };
  EXPECT_NE(with_change("llma.resample_layers.2.1.feed_forward.w2.weight"), key);
  EXPECT_EQ(with_change("llma.layers.1.feed_forward.w2.weight"), key);
}

TEST_F(OneLlmTest, PreparesGivenTensorsAndRefusesOthers) {
  const auto model = make();
  const auto refused = model->prepare(Modality::kImage, "no picture", "a.jpg");
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().code, ErrorCode::kUnimplemented);  // no decoder was given
  const auto points = model->prepare(Modality::kPointCloud, "no points", "b.npz");
  ASSERT_FALSE(points.has_value());
  EXPECT_THAT(points.error().message, HasSubstr("b.npz"));
}

TEST_F(OneLlmTest, TellsMemoryAndWhatItDoesNotUse) {
  auto weights = testing::toy_onellm_weights({});
  weights.push_back(testing::stored("optimizer.step", testing::wavy({1})));
  weights.push_back(testing::stored("llma.resample_tokens.imu", testing::wavy({1, 5, 64})));
  testing::write_safetensors(folder_ / "model.safetensors", weights);
  std::vector<std::string> told;
  make([&](NativeModelOptions& options) {
    options.tell = [&](const std::string& text) { told.push_back(text); };
  });
  ASSERT_EQ(told.size(), 2U);
  EXPECT_THAT(told[0], HasSubstr("1 tensors of the checkpoint are of no use here: optimizer.step"));
  EXPECT_THAT(told[1], HasSubstr("of weights in the mapped file"));
  EXPECT_THAT(told[1], HasSubstr("on cpu"));
  EXPECT_THAT(told[1], HasSubstr("in float32"));
}

// As a training of them leaves a checkpoint: beside the weights, which stay.
TEST_F(OneLlmTest, LowRankUpdatesCountByTheirScale) {
  const auto logits = [&](std::optional<float> scale, std::vector<std::string>* told = nullptr) {
    auto weights = testing::toy_onellm_weights({});
    if (scale) {
      for (const char* product : {"llma.layers.0.attention.wq", "llma.layers.1.feed_forward.w2"}) {
        const std::int64_t in = std::string_view(product).ends_with("w2") ? 96 : 32;
        weights.push_back(
            testing::stored(product + std::string(".lora_a"), testing::wavy({2, in}, 0.5F)));
        weights.push_back(
            testing::stored(product + std::string(".lora_b"), testing::wavy({32, 2}, 0.9F)));
      }
      weights.push_back(testing::stored_float32("lora_scale", {1}, {*scale}));
    }
    testing::write_safetensors(folder_ / "model.safetensors", weights);
    const auto model = make([&](NativeModelOptions& options) {
      if (told != nullptr) options.tell = [=](const std::string& text) { told->push_back(text); };
    });
    const auto all = features(*model);
    return dynamic_cast<Model&>(*model).first_logits(question(all, "Which?", {4, 0, 2}));
  };
  const at::Tensor plain = logits(std::nullopt);
  EXPECT_TRUE(at::allclose(logits(0.0F), plain, 0, 0));
  std::vector<std::string> told;
  EXPECT_FALSE(at::allclose(logits(0.5F, &told), plain, 1e-3, 1e-3));
  EXPECT_EQ(told.size(), 1U);  // of memory: nothing is of no use
}

TEST_F(OneLlmTest, MemoryIsThatOfTheTensorsThatAreUsed) {
  const tensor::Checkpoint checkpoint(folder_ / "model.safetensors");
  const Sizes sizes = read_sizes(checkpoint, read_llama_params(folder_ / "params.json"));
  std::uint64_t elements = 0;
  for (const auto& tensor : testing::toy_onellm_weights({})) elements += tensor.bytes.size() / 4;
  const std::vector<at::Device> cpu = {at::kCPU};
  const auto mapped = estimate_memory(checkpoint, sizes, cpu, at::kFloat, 8);
  ASSERT_EQ(mapped.size(), 1U);
  EXPECT_EQ(mapped[0].mapped_bytes, elements * 4);
  EXPECT_EQ(mapped[0].copied_bytes, 0U);
  const std::vector<at::Device> two = {at::Device(at::kCUDA, 0), at::Device(at::kCUDA, 1)};
  const auto split = estimate_memory(checkpoint, sizes, two, at::kBFloat16, 8);
  ASSERT_EQ(split.size(), 2U);
  EXPECT_EQ(split[0].copied_bytes + split[1].copied_bytes, elements * 2);
  EXPECT_GT(split[1].copied_bytes, 0U);
  EXPECT_GT(split[0].copied_bytes, split[1].copied_bytes);  // the encoder stands there
}

TEST_F(OneLlmTest, SaysWhatIsMissingOrDoesNotFit) {
  const auto write = [&](const auto& change) {
    auto weights = testing::toy_onellm_weights({});
    change(weights);
    testing::write_safetensors(folder_ / "model.safetensors", weights);
    return error_of([&] { make(); });
  };
  const auto without = [&](const std::string& name) {
    return write([&](auto& weights) {
      std::erase_if(weights, [&](const auto& tensor) { return tensor.name == name; });
    });
  };
  for (const char* name : {"llma.clip.visual.conv1.weight", "llma.positional_embedding.audio",
                           "llma.resample_layers.1.1.attention.wq.weight", "llma.start_tag.point",
                           "llma.output.weight", "llma.clip_proj2.video.1.bias"}) {
    const Error error = without(name);
    EXPECT_EQ(error.code, ErrorCode::kNotFound) << name;
    EXPECT_THAT(error.message, HasSubstr(name));
  }
  const Error of_layers = without("llma.layers.1.attention_norm.weight");
  EXPECT_EQ(of_layers.code, ErrorCode::kInvalidArgument);
  EXPECT_THAT(of_layers.message, HasSubstr("name the right params.json"));
  const Error nothing = write([](auto& weights) { weights.clear(); });
  EXPECT_THAT(nothing.message, HasSubstr("is this a OneLLM checkpoint?"));

  testing::write_toy_onellm(folder_.path());
  std::filesystem::remove(folder_ / "params.json");
  EXPECT_THAT(error_of([&] { make(); }).message, HasSubstr("its configuration says 4096"));
  testing::write_toy_onellm(folder_.path());
  std::filesystem::remove(folder_ / "tokenizer.model");
  EXPECT_THAT(error_of([&] { make(); }).message, HasSubstr("--tokenizer"));
  testing::write_toy_onellm(folder_.path());
  EXPECT_EQ(error_of([&] {
              make([](NativeModelOptions& options) { options.prompt_template = "nothing"; });
            }).code,
            ErrorCode::kInvalidArgument);
}

}  // namespace
}  // namespace contra4::models::onellm
