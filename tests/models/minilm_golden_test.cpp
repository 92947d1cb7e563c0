// The real weights against what sentence-transformers computes with them.
#include <algorithm>
#include <cmath>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "contra4/io/json.h"
#include "contra4/models/minilm.h"
#include "tests/support/npy.h"
#include "tests/support/test_env.h"

namespace contra4::models {
namespace {

namespace fs = std::filesystem;

constexpr double kMaxCosineDistance = 1e-5;

class MiniLmGolden : public ::testing::Test {
 protected:
  void SetUp() override {
    CONTRA4_REQUIRE_SHARED();
    const fs::path folder = CONTRA4_DEFAULT_MINILM;
    if (!fs::exists(folder)) GTEST_SKIP() << "no MiniLM at " << folder;
    model_ = std::make_unique<MiniLm>(EmbedderOptions{.folder = folder, .num_threads = 0});
  }
  static fs::path golden(const char* name) {
    return testing::shared_dir() / "goldens" / "minilm" / name;
  }

  std::unique_ptr<MiniLm> model_;
};

double dot(std::span<const float> a, std::span<const float> b) {
  double sum = 0;
  for (std::size_t i = 0; i < a.size(); ++i) sum += static_cast<double>(a[i]) * b[i];
  return sum;
}

const std::string& text_of(const io::JsonValue& row, const char* key) {
  return *row.find(key)->find_string();
}

TEST_F(MiniLmGolden, EveryVectorIsThePublishedOne) {
  const io::JsonValue rows = io::read_json_file(golden("texts.json"));
  std::vector<std::string> texts;
  for (const io::JsonValue& row : *rows.find_array()) texts.push_back(text_of(row, "text"));
  const testing::FloatMatrix expected = testing::read_npy(golden("embeddings.npy"));
  const Embeddings found = model_->embed(texts);
  ASSERT_EQ(found.size(), expected.num_rows);
  ASSERT_EQ(found.dimension, expected.num_columns);
  double largest = 0;
  for (std::size_t i = 0; i < texts.size(); ++i) {
    const double distance = 1 - dot(found.row(i), expected.row(i));
    EXPECT_LT(std::abs(distance), kMaxCosineDistance) << texts[i];
    largest = std::max(largest, std::abs(distance));
  }
  RecordProperty("largest_cosine_distance", std::to_string(largest));
}

// The caption most similar to the question, the first of equals.
TEST_F(MiniLmGolden, ChoosesAsPublishedOnTheTestSet) {
  const io::JsonValue items =
      io::read_json_file(testing::shared_dir() / "contra4" / "release" / "test.json");
  const io::JsonValue goldens =
      io::parse_json(testing::read_gz(golden("question_similarity_test.json.gz")), "golden")
          .value();
  ASSERT_EQ(items.find_array()->size(), 2335U);
  ASSERT_EQ(goldens.find_array()->size(), 2335U);
  std::vector<std::string> texts;
  for (const io::JsonValue& item : *items.find_array()) {
    texts.push_back(text_of(item, "question"));
    for (const io::JsonValue& scene : *item.find("examples")->find_array()) {
      texts.push_back(text_of(scene, "caption"));
    }
  }
  const Embeddings rows = model_->embed(texts);
  int num_right = 0;
  int num_as_golden = 0;
  std::size_t next = 0;
  for (std::size_t i = 0; i < items.find_array()->size(); ++i) {
    const io::JsonValue& item = (*items.find_array())[i];
    const io::JsonValue& golden_item = (*goldens.find_array())[i];
    ASSERT_EQ(text_of(item, "id"), text_of(golden_item, "id"));
    const auto question = rows.row(next++);
    double best = -2;
    char choice = '?';
    char letter = 'A';
    for (std::size_t s = 0; s < item.find("examples")->find_array()->size(); ++s, ++letter) {
      const double score = dot(question, rows.row(next++));
      if (score <= best) continue;
      best = score;
      choice = letter;
    }
    num_right += text_of(item, "answer") == std::string(1, choice) ? 1 : 0;
    num_as_golden += text_of(golden_item, "prediction") == std::string(1, choice) ? 1 : 0;
  }
  EXPECT_EQ(num_right, 1566);
  EXPECT_GE(num_as_golden, 2330);
  RecordProperty("same_choice", num_as_golden);
}

}  // namespace
}  // namespace contra4::models
