#include "contra4/data/dataset_summary.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "contra4/io/json.h"
#include "tests/data/data_fixtures.h"
#include "tests/support/test_env.h"

namespace contra4::data {
namespace {

using ::testing::ElementsAre;
using ::testing::Pair;

class DatasetSummaryTest : public ::testing::Test {
 protected:
  void SetUp() override {
    const std::string repeated =
        R"({"id": 3, "question": "Which scene is louder?", "modalities": ["pc", "pc", "audio"],)"
        R"( "examples": [{"source": "pointllm", "id": "x"}, {"source": "pointllm", "id": "y"},)"
        R"( {"source": "clotho", "id": "007"}], "category": "Motion"})";
    write_bytes(folder_ / "a.jsonl", row_with_id("1") + "\n{}\n" + repeated + "\n");
    write_bytes(folder_ / "b.jsonl", row_with("question", "\"Another?\"") + "\n");
  }
  const testing::TempDir folder_;
};

TEST_F(DatasetSummaryTest, CountsWhatIsThere) {
  const DatasetSummary summary = summarize_dataset(folder_ / "a.jsonl");
  EXPECT_EQ(summary.name, "a");
  EXPECT_EQ(summary.items, 2U);
  EXPECT_EQ(summary.wrong_rows, 1U);
  EXPECT_THAT(summary.cells, ElementsAre(Pair("mc_2/random", 1), Pair("mc_3/?", 1)));
  EXPECT_THAT(summary.scenes_by_modality,
              ElementsAre(Pair("audio", 2), Pair("image", 1), Pair("pc", 2)));
  EXPECT_THAT(summary.combinations, ElementsAre(Pair("audio+image", 1), Pair("audio+pc", 1)));
  EXPECT_THAT(summary.answer_positions, ElementsAre(Pair("B", 1)));
  EXPECT_THAT(summary.correct_modalities, ElementsAre(Pair("audio", 1)));
  EXPECT_THAT(summary.scenes_by_source,
              ElementsAre(Pair("clotho", 2), Pair("coco_val", 1), Pair("pointllm", 2)));
  EXPECT_THAT(summary.categories, ElementsAre(Pair("Motion", 1)));
  EXPECT_EQ(summary.scenes, 5U);
  EXPECT_EQ(summary.distinct_media, 4U);
  EXPECT_EQ(summary.distinct_questions, 1U);
  EXPECT_EQ(summary.repeated_modality, 1U);
  EXPECT_EQ(summary.without_answer, 1U);
  EXPECT_EQ(summary.without_caption, 3U);
  EXPECT_FALSE(summary.overlap.has_value());
}

TEST_F(DatasetSummaryTest, FindsWhatIsSharedWithAnotherSet) {
  const DatasetSummary summary = summarize_dataset(folder_ / "a.jsonl", folder_ / "b.jsonl");
  ASSERT_TRUE(summary.overlap.has_value());
  EXPECT_EQ(summary.overlap->name, "b");
  EXPECT_EQ(summary.overlap->media, 2U);
  EXPECT_EQ(summary.overlap->other_media, 2U);
  EXPECT_EQ(summary.overlap->questions, 0U);
  EXPECT_EQ(summary.overlap->items_with_media, 2U);
  EXPECT_EQ(summary.overlap->items_with_question, 0U);
}

TEST_F(DatasetSummaryTest, SaysTheSameInJson) {
  const std::string text =
      summary_to_json(summarize_dataset(folder_ / "a.jsonl", folder_ / "b.jsonl"));
  const io::JsonValue json = io::parse_json(text, "summary").value();
  EXPECT_EQ(json.find_path("cells", "mc_2/random")->find_integer(), 1);
  EXPECT_EQ(json.find_path("overlap", "media")->find_integer(), 2);
  EXPECT_EQ(json.find_path("repeated_modality")->find_integer(), 1);
}

TEST_F(DatasetSummaryTest, StopsWhenAsked) {
  std::stop_source stop;
  stop.request_stop();
  const auto summary = summarize_dataset(folder_ / "a.jsonl", {}, {}, stop.get_token());
  EXPECT_TRUE(summary.was_interrupted);
  EXPECT_EQ(summary.items, 0U);
}

}  // namespace
}  // namespace contra4::data
