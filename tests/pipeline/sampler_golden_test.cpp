// The published sampler's tuples, from the corpora laid out as CLI.md says.
#include <filesystem>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "contra4/inference/torch_loader.h"
#include "contra4/io/json.h"
#include "contra4/pipeline/embedding_store.h"
#include "contra4/pipeline/sampler.h"
#include "contra4/pipeline/sources.h"
#include "tests/pipeline/sample_support.h"
#include "tests/support/test_env.h"

namespace contra4::pipeline {
namespace {

namespace fs = std::filesystem;

struct Tuple {
  std::string id;
  std::string q_type;
  std::vector<std::string> modalities;
  std::vector<std::string> scenes;  // source and id
  bool operator==(const Tuple&) const = default;
};

class SamplerGolden : public ::testing::Test {
 protected:
  void SetUp() override {
    CONTRA4_REQUIRE_SHARED();
    const fs::path corpora = testing::shared_dir() / "contra4" / "corpora";
    const std::pair<const char*, const char*> links[] = {
        {"audiocaps_test.csv", "audio/audiocaps/test.csv"},
        {"clotho_captions_evaluation.csv", "audio/clotho/clotho_captions_evaluation.csv"},
        {"PointLLM_brief_description_val_3000_GT.json",
         "3d/pointllm/PointLLM_brief_description_val_3000_GT.json"},
        {"objaverse_annotations.json", "3d/objaverse/annotations.json"},
        {"msrvtt_val.csv", "video/msrvtt/val.csv"},
        {"captions_val2017.json", "image/mscoco/captions_val2017.json"}};
    for (const auto& [name, place] : links) {
      fs::create_directories((folder_ / place).parent_path());
      fs::create_symlink(corpora / name, folder_ / place);
    }
    const auto found = find_published_sources(folder_.path(), "test");
    for (const SourceSpec& spec : found.specs)
      load_source(spec, {.keep_without_caption = true}, corpus_);
  }

  std::vector<Tuple> sampled(Strategy strategy, std::int64_t per_combination,
                             const SampleTools& tools) {
    SampleOptions options{.strategy = strategy};
    options.plans =
        plan_combinations(combinations_of(kModalities), per_combination, {}, {1, 1, 1, 1});
    options.compat = true;
    options.compat_population = 60'001;
    outcome_ = sample(options, corpus_, tools, folder_ / "tuples.json", {}, {});
    std::vector<Tuple> tuples;
    for (const Item& item : read_tuples(folder_ / "tuples.json")) {
      Tuple tuple{item.id.text, item.q_type, {}, {}};
      for (const Scene& scene : item.scenes) {
        tuple.modalities.emplace_back(to_string(scene.modality));
        tuple.scenes.push_back(scene.source + " " + (scene.id.is_integer ? "#" : "") +
                               scene.id.text);
      }
      tuples.push_back(std::move(tuple));
    }
    return tuples;
  }

  static std::vector<Tuple> golden(const std::string& name) {
    const auto json =
        io::parse_json(testing::read_gz(testing::shared_dir() / "goldens" / name), name).value();
    std::vector<Tuple> tuples;
    for (const io::JsonValue& row : *json.find_array()) {
      Tuple tuple{*row.find("id")->find_string(), *row.find("q_type")->find_string(), {}, {}};
      for (const io::JsonValue& modality : *row.find("modalities")->find_array()) {
        tuple.modalities.push_back(*modality.find_string());
      }
      for (const io::JsonValue& scene : *row.find("examples")->find_array()) {
        const io::JsonValue& id = *scene.find_path(1);
        tuple.scenes.push_back(
            *scene.find_path(0)->find_string() + " " +
            (id.is_string() ? *id.find_string() : "#" + std::to_string(*id.find_integer())));
      }
      tuples.push_back(std::move(tuple));
    }
    return tuples;
  }

  // The caption of a scene as written above.
  std::string caption_of(Modality modality, const std::string& scene) const {
    for (const Scene& entry : corpus_.pool(modality).entries) {
      if (entry.source + " " + (entry.id.is_integer ? "#" : "") + entry.id.text == scene) {
        return std::string(entry.caption());
      }
    }
    return {};
  }

  testing::TempDir folder_;
  Corpus corpus_;
  StepOutcome outcome_;
};

std::size_t count_equal(const std::vector<Tuple>& a, const std::vector<Tuple>& b) {
  std::size_t count = 0;
  for (std::size_t i = 0; i < std::min(a.size(), b.size()); ++i) count += a[i] == b[i] ? 1 : 0;
  return count;
}

TEST_F(SamplerGolden, RandomTuplesAreThePublishedOnes) {
  EXPECT_EQ(corpus_.pool(Modality::kAudio).entries.size(), 1961U + 1051U);
  EXPECT_EQ(corpus_.pool(Modality::kPointCloud).entries.size(), 2107U);
  EXPECT_EQ(corpus_.pool(Modality::kImage).entries.size(), 2679U);
  EXPECT_EQ(corpus_.pool(Modality::kVideo).entries.size(), 493U);
  const auto tuples = sampled(Strategy::kRandom, 500, {});
  const auto expected = golden("generation/step1/tuples_random.json.gz");
  ASSERT_EQ(tuples.size(), 5500U);
  ASSERT_EQ(expected.size(), 5500U);
  EXPECT_EQ(count_equal(tuples, expected), 5500U);
}

TEST_F(SamplerGolden, SimilarTuplesAreThePublishedOnesUpToTies) {
  WordVectors vectors;
  const auto search = make_portable_neighbor_search();
  const auto tuples = sampled(Strategy::kSimilarity, 100, {&vectors, search.get()});
  const auto expected = golden("generation/step1/tuples_similarity.json.gz");
  ASSERT_EQ(tuples.size(), 1100U);
  ASSERT_EQ(expected.size(), 1100U);
  RecordProperty("exact", static_cast<int>(count_equal(tuples, expected)));
  EXPECT_GE(count_equal(tuples, expected), 1071U);
  // Others differ in scenes whose scores are equal.
  const auto score = [&](const Tuple& tuple, std::size_t scene) {
    const Modality first = *parse_modality(tuple.modalities[0]);
    const Modality other = *parse_modality(tuple.modalities[scene]);
    const std::vector<std::string> texts = {caption_of(first, tuple.scenes[0]),
                                            caption_of(other, tuple.scenes[scene])};
    const auto embedded = vectors.embed("", texts, {}, {});
    double sum = 0;
    for (std::size_t i = 0; i < embedded.dimension; ++i) {
      sum += static_cast<double>(embedded.row(0)[i]) * embedded.row(1)[i];
    }
    return sum;
  };
  for (std::size_t i = 0; i < tuples.size(); ++i) {
    if (tuples[i] == expected[i]) continue;
    ASSERT_EQ(tuples[i].modalities, expected[i].modalities) << tuples[i].id;
    EXPECT_EQ(tuples[i].scenes[0], expected[i].scenes[0]);
    for (std::size_t scene = 1; scene < tuples[i].scenes.size(); ++scene) {
      EXPECT_NEAR(score(tuples[i], scene), score(expected[i], scene), 1e-6) << tuples[i].id;
    }
  }
  // The published sampler made one tuple longer than it says.
  EXPECT_EQ(outcome_.counts[outcome_.counts.size() - 2].first, "longer than planned");
  EXPECT_EQ(outcome_.counts[outcome_.counts.size() - 2].second, 1);
}

#ifdef CONTRA4_DEFAULT_MINILM
TEST_F(SamplerGolden, SimilarTuplesWithTheRealEncoderAreThePublishedOnesUpToNearTies) {
  const fs::path model = CONTRA4_DEFAULT_MINILM;
  if (!fs::exists(model)) GTEST_SKIP() << "no MiniLM at " << model;
  EmbeddingStore vectors([&] { return open_torch_module().make_minilm({.folder = model}); },
                         {.folder = folder_ / "embeddings", .description_json = {}});
  const auto search = open_torch_module().make_neighbor_search(0);
  const auto tuples = sampled(Strategy::kSimilarity, 100, {&vectors, search.get()});
  const auto expected = golden("minilm/tuples_similarity.json.gz");
  ASSERT_EQ(expected.size(), 1100U);
  RecordProperty("exact", static_cast<int>(count_equal(tuples, expected)));
  EXPECT_GE(count_equal(tuples, expected), 1085U);
}
#endif

}  // namespace
}  // namespace contra4::pipeline
