#include "contra4/models/minilm.h"

#include <algorithm>
#include <cmath>
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "contra4/base/error.h"
#include "contra4/io/json.h"
#include "tests/support/test_env.h"
#include "tests/support/toy_minilm.h"

namespace contra4::models {
namespace {

using ::testing::HasSubstr;

class MiniLmTest : public ::testing::Test {
 protected:
  void SetUp() override { testing::write_toy_minilm(folder_.path()); }

  MiniLm model(int num_threads = 1) const {
    return MiniLm({.folder = folder_.path(), .num_threads = num_threads});
  }
  Error refusal() const {
    try {
      model();
    } catch (const Exception& exception) {
      return exception.error();
    }
    return {ErrorCode::kInternal, "accepted"};
  }

  testing::TempDir folder_;
};

// Texts of many lengths, enough for several batches.
std::vector<std::string> some_texts() {
  std::vector<std::string> texts;
  for (std::size_t i = 0; i < 300; ++i) {
    std::string text;
    for (std::size_t j = 0; j < 1 + (i * 7) % 23; ++j) {
      text += static_cast<char>('a' + (i * 31 + j * 17) % 26);
      if ((i + j) % 3 == 0) text += ' ';
    }
    texts.push_back(text);
  }
  return texts;
}

double largest_difference(std::span<const float> a, std::span<const float> b) {
  double largest = a.size() == b.size() ? 0 : 1e9;
  for (std::size_t i = 0; i < a.size() && i < b.size(); ++i) {
    largest = std::max(largest, std::abs(static_cast<double>(a[i]) - static_cast<double>(b[i])));
  }
  return largest;
}

TEST_F(MiniLmTest, RowsHaveNormOneAndTheOrderOfTheTexts) {
  const auto texts = some_texts();
  MiniLm minilm = model();
  const Embeddings all = minilm.embed(texts);
  ASSERT_EQ(all.size(), texts.size());
  EXPECT_EQ(all.dimension, 8U);
  for (std::size_t i = 0; i < texts.size(); ++i) {
    double squares = 0;
    for (const float value : all.row(i)) squares += static_cast<double>(value) * value;
    EXPECT_NEAR(squares, 1, 1e-5);
    if (i % 25 != 0) continue;
    const Embeddings alone = minilm.embed(std::span(texts).subspan(i, 1));
    EXPECT_LT(largest_difference(all.row(i), alone.row(0)), 1e-5) << texts[i];
  }
}

TEST_F(MiniLmTest, ThreadsDoNotChangeAByte) {
  const auto texts = some_texts();
  const Embeddings one = model(1).embed(texts);
  EXPECT_EQ(one.values, model(3).embed(texts).values);
  EXPECT_EQ(one.values, model(0).embed(texts).values);
}

TEST_F(MiniLmTest, EqualTextsShareARow) {
  const std::vector<std::string> texts = {"ab", "c", "ab", "AB ", "c"};
  const Embeddings rows = model().embed(texts);
  ASSERT_EQ(rows.size(), 5U);
  EXPECT_EQ(largest_difference(rows.row(0), rows.row(2)), 0);
  EXPECT_EQ(largest_difference(rows.row(0), rows.row(3)), 0);  // the same tokens
  EXPECT_EQ(largest_difference(rows.row(1), rows.row(4)), 0);
  EXPECT_GT(largest_difference(rows.row(0), rows.row(1)), 1e-3);
}

TEST_F(MiniLmTest, TakesEmptyAndOverlongTexts) {
  std::string words;
  for (int i = 0; i < 254; ++i) words += "a ";
  const std::vector<std::string> texts = {"", words, words + "b c d", std::string(1'000'000, ' ')};
  const Embeddings rows = model().embed(texts);
  ASSERT_EQ(rows.size(), 4U);
  EXPECT_EQ(largest_difference(rows.row(1), rows.row(2)), 0);  // cut at 256 tokens
  EXPECT_EQ(largest_difference(rows.row(0), rows.row(3)), 0);
  EXPECT_EQ(model().embed({}).size(), 0U);
}

TEST_F(MiniLmTest, DescribesItselfByTheHashOfItsWeights) {
  const auto first = io::parse_json(model().description_json(), "x").value();
  EXPECT_EQ(*first.find("model")->find_string(), "all-MiniLM-L6-v2");
  testing::write_toy_minilm(folder_.path(), {.seed = 2});
  const auto second = io::parse_json(model().description_json(), "x").value();
  EXPECT_NE(*first.find("weights_sha256")->find_string(),
            *second.find("weights_sha256")->find_string());
}

TEST_F(MiniLmTest, NamesWhatIsMissingOrDoesNotFit) {
  std::ofstream(folder_ / "vocab.txt", std::ios::app) << "extra\n";
  EXPECT_THAT(refusal().message,
              HasSubstr("vocab.txt: 58 entries, vocab_size of config.json is 57"));
  testing::write_toy_minilm(folder_.path(), {.num_layers = 1});
  std::ofstream(folder_ / "config.json") << testing::toy_config_json({.num_layers = 2});
  EXPECT_EQ(refusal().code, ErrorCode::kNotFound);
  EXPECT_THAT(refusal().message, HasSubstr("'encoder.layer.1.attention.self.query.weight'"));
  std::filesystem::resize_file(folder_ / "model.safetensors", 5000);
  EXPECT_EQ(refusal().code, ErrorCode::kDataLoss);
  EXPECT_THAT(refusal().message, HasSubstr("truncated download?"));
  std::filesystem::remove(folder_ / "model.safetensors");
  EXPECT_EQ(refusal().code, ErrorCode::kNotFound);
}

TEST_F(MiniLmTest, RejectsTooFewPositionsAndANegativeThreadCount) {
  std::string config = testing::toy_config_json({});
  config.replace(config.find("256"), 3, "128");
  std::ofstream(folder_ / "config.json") << config;
  EXPECT_THAT(refusal().message, HasSubstr("max_position_embeddings is 128, wanted 256 or more"));
  EXPECT_THROW(model(-1), Exception);
}

}  // namespace
}  // namespace contra4::models
