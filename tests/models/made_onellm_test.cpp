// A checkpoint as tools/make_onellm.py writes it, asked about the real files of data/mini: what it
// says means nothing, but it has to see them.
#include <filesystem>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <ATen/Parallel.h>
#include <ATen/core/Tensor.h>
#include <gtest/gtest.h>

#include "contra4/io/file.h"
#include "contra4/io/json.h"
#include "contra4/media/codecs/codecs.h"
#include "contra4/media/locate.h"
#include "contra4/models/registry.h"
#include "tests/support/test_env.h"

namespace contra4::models {
namespace {

using ::contra4::testing::mini_dir;

struct Item {
  std::string question;
  std::vector<std::pair<Modality, std::filesystem::path>> scenes;
};

std::vector<Item> read_items() {
  media::MediaRoots roots;
  roots.media_root = mini_dir() / "media";
  const media::MediaLocator locator(std::move(roots));
  std::vector<Item> items;
  const io::JsonValue json = io::read_json_file(mini_dir() / "test.json");
  for (const io::JsonValue& row : *json.find_array()) {
    Item& item = items.emplace_back();
    item.question = *row.find("question")->find_string();
    const auto& modalities = *row.find("modalities")->find_array();
    const auto& examples = *row.find("examples")->find_array();
    for (std::size_t i = 0; i < examples.size(); ++i) {
      const Modality modality = *parse_modality(*modalities[i].find_string());
      const io::JsonValue& id = *examples[i].find("id");
      const RecordId record{.text = id.is_string() ? *id.find_string()
                                                   : std::to_string(*id.find_integer())};
      item.scenes.emplace_back(
          modality,
          locator.locate(*examples[i].find("source")->find_string(), record, modality).value());
    }
  }
  return items;
}

class MadeOneLlm : public ::testing::Test {
 protected:
  // One for all tests: a medium is encoded once.
  static void SetUpTestSuite() {
    NativeModelOptions options;
    options.checkpoint = CONTRA4_TINY_ONELLM;
    options.devices = {"cpu"};
    options.compute_type = ComputeType::kFloat32;
    options.decoder = &media::linked_decoder();
    at::set_num_threads(1);  // beside other tests, threads of one wait for each other
    model_ = make_scene_model("onellm", options);
  }
  static void TearDownTestSuite() {
    features_.clear();
    model_.reset();
  }
  static const SceneFeatures& features_of(const std::pair<Modality, std::filesystem::path>& scene) {
    auto& features = features_[scene.second.string()];
    if (features.empty()) {
      const std::vector<PreparedMedium> media = {
          model_->prepare(scene.first, io::read_file(scene.second), scene.second.string()).value()};
      features = model_->encode(scene.first, media)[0];
    }
    return features;
  }
  static std::vector<SceneAnswer> answers(const std::vector<Item>& items) {
    std::vector<SceneQuestion> questions;
    for (const Item& item : items) {
      SceneQuestion& question = questions.emplace_back();
      question.text = item.question;
      for (const auto& scene : item.scenes) {
        question.modalities.push_back(scene.first);
        question.features.push_back(&features_of(scene));
      }
    }
    return model_->answer(questions);
  }

  static inline std::unique_ptr<SceneModel> model_;
  static inline std::map<std::string, SceneFeatures> features_;
};

TEST_F(MadeOneLlm, ChoosesEachSceneOfThoseThatItIsShown) {
  const std::vector<Item> items = read_items();
  ASSERT_GE(items.size(), 20U);
  std::map<int, int> num_chosen;
  for (const SceneAnswer& answer : answers(items)) {
    ASSERT_TRUE(answer.choice.has_value()) << answer.text;
    ++num_chosen[*answer.choice];
  }
  EXPECT_GE(num_chosen.size(), 3U);
  for (const auto& [choice, count] : num_chosen) {
    EXPECT_LT(count, static_cast<int>(items.size()) * 3 / 4) << "scene " << choice;
  }
}

// The same question about other files of the same modalities.
TEST_F(MadeOneLlm, AnswersByWhatTheFilesShow) {
  std::map<Modality, std::set<std::filesystem::path>> files;
  for (const Item& item : read_items()) {
    for (const auto& [modality, path] : item.scenes) files[modality].insert(path);
  }
  ASSERT_EQ(files.size(), 4U);
  for (const auto& [modality, paths] : files) {
    ASSERT_GE(paths.size(), 6U);
    std::vector<Item> items;
    for (auto path = paths.begin(); items.size() < 5; ++path) {
      items.push_back({.question = "Which scene would be the loudest?",
                       .scenes = {{modality, *path}, {modality, *std::next(path)}}});
    }
    std::set<double> leads;
    for (const SceneAnswer& answer : answers(items)) {
      ASSERT_EQ(answer.scores.size(), 2U);
      leads.insert(answer.scores[0] - answer.scores[1]);
    }
    EXPECT_EQ(leads.size(), items.size());
    EXPECT_GT(*leads.rbegin() - *leads.begin(), 0.05)
        << "of " << std::string(to_string(modality)) << " scenes";
    RecordProperty(std::string(to_string(modality)),
                   std::to_string(*leads.begin()) + " to " + std::to_string(*leads.rbegin()));
  }
}

}  // namespace
}  // namespace contra4::models
