// A small checkpoint with the published names, against what the published code computes with it on
// the CPU in float32.
#include <algorithm>
#include <cstring>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include <ATen/ops/abs.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/max.h>
#include <ATen/ops/sub.h>
#include <gtest/gtest.h>

#include "contra4/io/file.h"
#include "contra4/io/json.h"
#include "contra4/io/npy.h"
#include "contra4/models/onellm/model.h"
#include "contra4/models/onellm/point_groups.h"
#include "tests/support/test_env.h"

namespace contra4::models::onellm {
namespace {

namespace fs = std::filesystem;

constexpr double kFeatureTolerance = 1e-4;
constexpr double kLogitTolerance = 1e-3;
constexpr std::int64_t kNewTokens = 8;  // of the reference

fs::path golden(const char* name) {
  return testing::shared_dir() / "goldens" / "onellm" / name;
}

at::Tensor read_array(const char* file, const std::string& member) {
  const std::string bytes = io::read_file(golden(file));
  const io::NpyArray array = io::read_npz(bytes, member, file).value();
  const std::vector<float> values = array.to_float32();
  at::Tensor tensor = at::empty(array.shape, at::kFloat);
  std::memcpy(tensor.mutable_data_ptr<float>(), values.data(), values.size() * sizeof(float));
  return tensor;
}

double largest_difference(const at::Tensor& a, const at::Tensor& b) {
  return a.to(at::kDouble).sub(b.to(at::kDouble)).abs().max().item().toDouble();
}

std::unique_ptr<Model> load(bool is_compat, bool chooses_by_logprobs = false) {
  ModelOptions options;
  options.is_compat = is_compat;
  options.chooses_by_logprobs = chooses_by_logprobs;
  options.max_new_tokens = kNewTokens;
  tensor::Checkpoint checkpoint(golden("consolidated.00-of-01.pth"));
  const Sizes sizes = read_sizes(checkpoint, read_llama_params(golden("params.json")));
  return std::make_unique<Model>(std::move(checkpoint), sizes,
                                 text::SentencePiece(golden("tokenizer.model")),
                                 std::move(options));
}

PreparedMedium prepared(Modality modality) {
  switch (modality) {
    case Modality::kImage:
      return {read_array("preprocessed.npz", "image/landscape.jpg")};
    case Modality::kAudio:
      return {read_array("preprocessed.npz", "audio/speech16k.wav")};
    case Modality::kVideo:
      return {read_array("video_input.npz", "video").squeeze(0)};
    case Modality::kPointCloud: {
      PointGroups groups = group_points(read_array("preprocessed.npz", "point/chair_8192.npz"), {});
      return {groups.points, groups.rows};
    }
  }
  return {};
}

struct Case {
  std::string question;
  std::vector<Modality> modalities;
  std::vector<std::int64_t> prompt_ids, published, corrected;
  std::string prompt, published_text;
  std::int64_t sequence_length = 0;
};

std::vector<std::int64_t> numbers(const io::JsonValue& json, const char* key) {
  std::vector<std::int64_t> values;
  for (const io::JsonValue& value : *json.find(key)->find_array()) {
    values.push_back(*value.find_integer());
  }
  return values;
}

std::vector<Case> read_cases() {
  std::vector<Case> cases;
  const io::JsonValue json = io::read_json_file(golden("cases.json"));
  for (const io::JsonValue& row : *json.find_array()) {
    Case& one = cases.emplace_back();
    one.question = *row.find("question")->find_string();
    for (const io::JsonValue& name : *row.find("modalities")->find_array()) {
      const std::string& text = *name.find_string();
      one.modalities.push_back(text == "point" ? Modality::kPointCloud : *parse_modality(text));
    }
    one.prompt = *row.find("prompt")->find_string();
    one.published_text = *row.find("published_text")->find_string();
    one.prompt_ids = numbers(row, "prompt_tokens");
    one.published = numbers(row, "published_tokens");
    one.corrected = numbers(row, "corrected_tokens");
    one.sequence_length = *row.find("sequence_length")->find_integer();
  }
  return cases;
}

class OneLlmGolden : public ::testing::Test {
 protected:
  void SetUp() override { CONTRA4_REQUIRE_SHARED(); }

  // All cases at once, every medium encoded once.
  std::vector<SceneAnswer> answer(Model& model, const std::vector<Case>& cases) {
    encode(model);
    std::vector<SceneQuestion> questions;
    for (const Case& one : cases) questions.push_back(question(one));
    return model.answer(questions);
  }
  void encode(Model& model) {
    for (const Modality modality : kModalities) {
      const std::vector<PreparedMedium> media = {prepared(modality)};
      features_[modality] = model.encode(modality, media)[0];
    }
  }
  SceneQuestion question(const Case& one) const {
    SceneQuestion asked{.text = one.question, .modalities = one.modalities, .features = {}};
    for (const Modality modality : one.modalities) {
      asked.features.push_back(&features_.at(modality));
    }
    return asked;
  }

  std::map<Modality, SceneFeatures> features_;
};

TEST_F(OneLlmGolden, FeaturesAreThePublishedOnes) {
  const auto model = load(false);
  encode(*model);
  for (const Modality modality : kModalities) {
    const at::Tensor expected =
        read_array("features.npz", std::string(name_of(modality))).squeeze(0);
    const double difference = largest_difference(features_.at(modality)[0], expected);
    EXPECT_LT(difference, kFeatureTolerance) << name_of(modality);
    RecordProperty(std::string(name_of(modality)), std::to_string(difference));
  }
}

// From the file, stored or deflated; the other modalities need the codecs' module.
TEST_F(OneLlmGolden, APointCloudFileGivesThePublishedFeatures) {
  const auto model = load(false);
  const at::Tensor expected = read_array("features.npz", "point").squeeze(0);
  for (const char* name : {"chair_8192.npz", "chair_deflated_8192.npz"}) {
    const std::string bytes = io::read_file(testing::shared_dir() / "goldens" / "media" / name);
    const std::vector<PreparedMedium> medium = {
        model->prepare(Modality::kPointCloud, bytes, name).value()};
    const auto features = model->encode(Modality::kPointCloud, medium);
    EXPECT_LT(largest_difference(features[0][0], expected), kFeatureTolerance) << name;
  }
}

TEST_F(OneLlmGolden, FirstLogitsAreThePublishedOnes) {
  const auto model = load(false);
  encode(*model);
  const std::vector<Case> cases = read_cases();
  for (std::size_t i = 0; i < cases.size(); ++i) {
    const std::string name = "corrected/" + std::to_string(i);
    const double difference = largest_difference(model->first_logits(question(cases[i])),
                                                 read_array("first_logits.npz", name));
    EXPECT_LT(difference, kLogitTolerance) << name;
    RecordProperty("case_" + std::to_string(i), std::to_string(difference));
  }
}

TEST_F(OneLlmGolden, CompatSaysWhatThePublishedProgramSays) {
  const std::vector<Case> cases = read_cases();
  const auto answers = answer(*load(true), cases);
  ASSERT_EQ(answers.size(), cases.size());
  for (std::size_t i = 0; i < cases.size(); ++i) {
    EXPECT_EQ(answers[i].prompt, cases[i].prompt);
    EXPECT_EQ(answers[i].prompt_token_ids, cases[i].prompt_ids);
    EXPECT_EQ(answers[i].sequence_length, cases[i].sequence_length);
    EXPECT_EQ(answers[i].token_ids, cases[i].published) << i;
    EXPECT_EQ(answers[i].decoded, cases[i].published_text) << i;
    EXPECT_FALSE(answers[i].choice.has_value());
  }
}

TEST_F(OneLlmGolden, WithoutTheDefectItSaysTheCorrectedTokens) {
  const std::vector<Case> cases = read_cases();
  const auto answers = answer(*load(false), cases);
  ASSERT_EQ(answers.size(), cases.size());
  for (std::size_t i = 0; i < cases.size(); ++i) {
    EXPECT_EQ(answers[i].token_ids, cases[i].corrected) << i;
  }
}

TEST_F(OneLlmGolden, AloneItSaysTheSame) {
  const auto model = load(false);
  for (const Case& one : read_cases()) {
    EXPECT_EQ(answer(*model, {one})[0].token_ids, one.corrected) << one.question;
  }
}

}  // namespace
}  // namespace contra4::models::onellm
