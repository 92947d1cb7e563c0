// Texts and labels of the published training, and of its corrected form, with the published
// tokenizer; then what becomes of the released sets.
#include "contra4/train/training_text.h"

#include <algorithm>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "contra4/data/item_reader.h"
#include "contra4/io/json.h"
#include "tests/support/test_env.h"

namespace contra4::train {
namespace {

namespace fs = std::filesystem;

// What the corrected form of the published trace asks with.
constexpr const char* kBareTemplate = "{question} Choose from: {choices}";

struct Traced {
  Item item;
  std::vector<std::int64_t> tokens, published_labels, corrected_labels;  // filled up with 0
};

std::vector<std::int64_t> numbers(const io::JsonValue& json, const char* key) {
  std::vector<std::int64_t> values;
  for (const io::JsonValue& value : *json.find(key)->find_array()) {
    values.push_back(*value.find_integer());
  }
  return values;
}

std::vector<Traced> read_trace() {
  const io::JsonValue json =
      io::read_json_file(testing::shared_dir() / "goldens" / "onellm" / "finetune_trace.json");
  std::vector<Traced> all;
  for (const io::JsonValue& row : *json.find("batch")->find_array()) {
    Traced& one = all.emplace_back();
    one.item.question = *row.find("question")->find_string();
    one.item.answer_text = *row.find("answer")->find_string();
    one.item.answer = parse_gold_answer(one.item.answer_text);
    one.item.scenes.resize(json.find("modalities")->find_array()->size());
    one.tokens = numbers(row, "tokens");
    one.published_labels = numbers(row, "labels_published");
    one.corrected_labels = numbers(row, "labels_corrected");
  }
  return all;
}

// As the trace has them: 0 where nothing is, and no label.
std::vector<std::int64_t> filled_up(const std::vector<std::int64_t>& ids, std::size_t size) {
  std::vector<std::int64_t> filled = ids;
  filled.resize(size, 0);
  return filled;
}

std::vector<std::int64_t> labels_of(const TrainingText& text, std::size_t size) {
  std::vector<std::int64_t> labels(size, 0);
  for (std::size_t i = 0; i < text.ids.size(); ++i) {
    if (text.labels[i]) labels[i] = text.ids[i];
  }
  return labels;
}

class TrainingTextGolden : public ::testing::Test {
 protected:
  void SetUp() override {
    CONTRA4_REQUIRE_SHARED();
    tokenizer_ = std::make_unique<text::SentencePiece>(testing::shared_dir() / "goldens" /
                                                       "onellm" / "tokenizer.model");
  }
  TrainingText made(const Item& item, const TrainingTextOptions& options) const {
    return make_training_text(*tokenizer_, item, options).value();
  }
  static data::Dataset released(const char* file) {
    return data::load_dataset(testing::shared_dir() / "contra4" / "release" / file);
  }

  std::unique_ptr<text::SentencePiece> tokenizer_;
};

TEST_F(TrainingTextGolden, CompatGivesTheTokensAndLabelsOfThePublishedTrace) {
  const std::vector<Traced> trace = read_trace();
  ASSERT_EQ(trace.size(), 2U);
  for (const Traced& one : trace) {
    ASSERT_EQ(one.tokens.size(), 110U);
    const TrainingText text = made(one.item, {.is_compat = true});
    EXPECT_EQ(filled_up(text.ids, 110), one.tokens);
    EXPECT_EQ(labels_of(text, 110), one.published_labels);
  }
}

TEST_F(TrainingTextGolden, ABareTemplateGivesTheTokensAndLabelsOfTheCorrectedTrace) {
  for (const Traced& one : read_trace()) {
    const TrainingText text = made(one.item, {.prompt_template = kBareTemplate});
    EXPECT_EQ(filled_up(text.ids, one.tokens.size()), one.tokens);
    EXPECT_EQ(labels_of(text, one.tokens.size()), one.corrected_labels);
  }
}

struct Counts {
  std::int64_t items = 0;
  std::int64_t on_answer = 0;   // labelled where the answer stands
  std::int64_t unlabelled = 0;  // no label at all
  std::int64_t cut[kMaxScenes + 1] = {};
  std::int64_t without_answer[kMaxScenes + 1] = {};  // cut, and not all of the answer is left
};

Counts count(const text::SentencePiece& tokenizer, const data::Dataset& dataset) {
  Counts counts;
  for (const Item& item : dataset.items) {
    const TrainingText text = make_training_text(tokenizer, item, {.is_compat = true}).value();
    const TrainingText whole =
        make_training_text(tokenizer, item, {.is_compat = true, .max_words = 100000}).value();
    ++counts.items;
    counts.unlabelled += text.num_labels() == 0 ? 1 : 0;
    counts.on_answer += whole.labels[whole.labels.size() - 2] ? 1 : 0;
    if (text.ids.size() == whole.ids.size()) continue;
    ++counts.cut[text.num_scenes];
    counts.without_answer[text.num_scenes] += text.ids.size() + 1 < whole.ids.size() ? 1 : 0;
  }
  return counts;
}

TEST_F(TrainingTextGolden, NoPublishedLabelOfTheReleasedSetsIsOnItsAnswer) {
  const Counts validation = count(*tokenizer_, released("val.json"));
  const Counts test = count(*tokenizer_, released("test.json"));
  EXPECT_EQ(validation.items + test.items, 5335);
  EXPECT_EQ(validation.on_answer + test.on_answer, 0);
  EXPECT_EQ(validation.unlabelled, 0);
  EXPECT_EQ(test.unlabelled, 2);  // their choice is cut out of the list itself
  for (const int num_scenes : {2, 3}) {
    EXPECT_EQ(validation.cut[num_scenes] + test.cut[num_scenes], 0) << num_scenes;
  }
  EXPECT_EQ(test.cut[4], 24);
  EXPECT_EQ(test.without_answer[4], 14);
  EXPECT_EQ(validation.cut[4], 36);
  EXPECT_EQ(validation.without_answer[4], 20);
}

TEST_F(TrainingTextGolden, EveryReleasedItemLearnsItsAnswerAndTheEnd) {
  for (const char* file : {"val.json", "test.json"}) {
    for (const Item& item : released(file).items) {
      const TrainingText text = made(item, {});
      ASSERT_EQ(text.num_labels(), 4);  // "▁Sc" "ene" "▁B" and the end
      const std::vector<std::int64_t> tail(text.ids.end() - 4, text.ids.end());
      ASSERT_EQ(tail, (std::vector<std::int64_t>{
                          2522, 1600, std::vector<std::int64_t>{319, 350, 315, 360}[*item.answer],
                          tokenizer_->eos_id()}));
      ASSERT_TRUE(
          std::all_of(text.labels.end() - 4, text.labels.end(), [](bool is) { return is; }));
    }
  }
}

}  // namespace
}  // namespace contra4::train
