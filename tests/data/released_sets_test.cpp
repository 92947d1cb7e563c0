// The published sets through every reader and writer.
#include <map>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "contra4/data/caption_table.h"
#include "contra4/data/dataset_check.h"
#include "contra4/data/dataset_summary.h"
#include "contra4/data/item_reader.h"
#include "contra4/data/item_writer.h"
#include "contra4/data/table_reader.h"
#include "contra4/io/json.h"
#include "tests/data/data_fixtures.h"
#include "tests/support/test_env.h"

namespace contra4::data {
namespace {

using ::testing::ElementsAre;
using ::testing::Pair;

// JSON text with the members of every object sorted: two documents are the same to a JSON reader
// when these texts are.
std::string sorted_text(const io::JsonValue& value) {
  if (const auto* object = value.find_object()) {
    std::map<std::string, std::string> members;
    for (const auto& [name, child] : *object) members[name] = sorted_text(child);
    std::string text = "{";
    for (const auto& [name, child] : members) text += name + ":" + child + ",";
    return text + "}";
  }
  if (const auto* array = value.find_array()) {
    std::string text = "[";
    for (const io::JsonValue& child : *array) text += sorted_text(child) + ",";
    return text + "]";
  }
  if (const auto* text = value.find_string()) return "\"" + *text;
  if (const auto integer = value.find_integer()) return std::to_string(*integer);
  if (const auto number = value.find_number()) return std::to_string(*number) + "f";
  return value.is_null() ? "null" : *value.find_bool() ? "true" : "false";
}

class ReleasedSets : public ::testing::TestWithParam<std::pair<std::string, Schema>> {
 protected:
  void SetUp() override { CONTRA4_REQUIRE_SHARED(); }
  std::filesystem::path path() const {
    return testing::shared_dir() / "contra4" / "release" / (GetParam().first + ".json");
  }
};

TEST_P(ReleasedSets, ComeBackTheSameThroughEveryFormat) {
  const testing::TempDir folder;
  const Schema schema = GetParam().second;
  std::filesystem::path from = path();
  for (const char* name : {"a.jsonl", "b.parquet", "c.jsonl.gz", "d.json.gz", "e.json"}) {
    const auto reader = open_items(from);
    const auto writer = create_items(folder / name, schema);
    while (const auto item = reader->next()) {
      ASSERT_TRUE(item->has_value()) << item->error().message;
      writer->write(**item);
    }
    writer->commit();
    EXPECT_EQ(reader->schema(), schema);
    from = folder / name;
  }
  EXPECT_EQ(sorted_text(io::read_json_file(from)), sorted_text(io::read_json_file(path())));
}

TEST_P(ReleasedSets, ComeBackTheSameThroughEveryOtherSchema) {
  const testing::TempDir folder;
  const std::vector<Item> items = read_all(path());
  for (const Schema schema :
       {Schema::kReadme, Schema::kReleasedTest, Schema::kReleasedVal, Schema::kGenerated}) {
    write_all(items, folder / "other.json", schema);
    write_all(read_all(folder / "other.json"), folder / "back.json", GetParam().second);
    EXPECT_EQ(sorted_text(io::read_json_file(folder / "back.json")),
              sorted_text(io::read_json_file(path())))
        << to_string(schema);
  }
}

TEST_P(ReleasedSets, HaveNoProblem) {
  const CheckOptions options = {.requirements = {.answer = true, .captions = true}, .limits = {}};
  const CheckSummary summary = check_dataset(
      path(), options, [](const RowProblem& problem) { ADD_FAILURE() << problem.message; });
  EXPECT_TRUE(summary.is_fine());
  EXPECT_EQ(summary.rows, GetParam().first == "test" ? 2335U : 3000U);
  EXPECT_EQ(load_dataset(path(), options.requirements).items.size(), summary.rows);
}

INSTANTIATE_TEST_SUITE_P(, ReleasedSets,
                         ::testing::Values(std::pair("test", Schema::kReleasedTest),
                                           std::pair("val", Schema::kReleasedVal)),
                         [](const auto& set) { return set.param.first; });

TEST(ReleasedTest, IsDescribedWithItsKnownNumbers) {
  CONTRA4_REQUIRE_SHARED();
  const auto release = testing::shared_dir() / "contra4" / "release";
  const DatasetSummary summary = summarize_dataset(release / "test.json", release / "val.json");
  EXPECT_EQ(summary.items, 2335U);
  EXPECT_EQ(summary.wrong_rows, 0U);
  EXPECT_THAT(summary.cells, ElementsAre(Pair("mc_2/random", 415), Pair("mc_2/similarity", 396),
                                         Pair("mc_3/random", 416), Pair("mc_3/similarity", 385),
                                         Pair("mc_4/random", 357), Pair("mc_4/similarity", 366)));
  EXPECT_THAT(summary.correct_modalities, ElementsAre(Pair("audio", 1083), Pair("image", 710),
                                                      Pair("pc", 316), Pair("video", 226)));
  EXPECT_THAT(summary.answer_positions,
              ElementsAre(Pair("A", 880), Pair("B", 786), Pair("C", 485), Pair("D", 184)));
  EXPECT_EQ(summary.categories.at("Other"), 531U);
  EXPECT_EQ(summary.categories.size(), 9U);
  EXPECT_EQ(summary.scenes_by_source.at("coco_val"), 2020U);
  EXPECT_EQ(summary.scenes, 6917U);
  EXPECT_EQ(summary.distinct_media, 4995U);
  EXPECT_EQ(summary.repeated_modality, 21U);
  ASSERT_TRUE(summary.overlap.has_value());
  EXPECT_EQ(summary.overlap->media, 2152U);
  EXPECT_EQ(summary.overlap->questions, 102U);
}

TEST(ReleasedCorpora, AreReadAsTables) {
  CONTRA4_REQUIRE_SHARED();
  const auto corpora = testing::shared_dir() / "contra4" / "corpora";
  const std::vector<std::tuple<std::string, std::string, int>> cases = {
      {"audiocaps_test.csv", "caption", 1961},
      {"clotho_captions_evaluation.csv", "caption_5", 1051},
      {"msrvtt_val.csv", "caption", 493},
      {"val-00000-of-00001-01bacdd7064306bc.parquet", "caption", 493},
      {"PointLLM_brief_description_val_3000_GT.json", "object_id", 2107},
  };
  for (const auto& [file, column, rows] : cases) {
    const auto reader = open_table(corpora / file);
    int count = 0;
    while (const auto row = reader->next()) {
      ASSERT_TRUE(row->has_value()) << row->error().message;
      ASSERT_NE((*row)->find(column), nullptr) << file;
      ++count;
    }
    EXPECT_EQ(count, rows) << file;
  }
}

TEST(ReleasedCaptions, AreReadAsATable) {
  CONTRA4_REQUIRE_SHARED();
  const CaptionTable table = CaptionTable::load(testing::shared_dir() / "contra4" /
                                                "predicted_captions" / "predicted.jsonl");
  ASSERT_NE(table.find("coco_val", {"184613", true}), nullptr);
  EXPECT_EQ(*table.find("coco_val", {"184613", true}),
            "a young boy holding an umbrella while petting a cow");
}

}  // namespace
}  // namespace contra4::data
