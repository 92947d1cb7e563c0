#include "contra4/data/item_json.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "contra4/data/item_parser.h"
#include "contra4/data/item_writer.h"
#include "contra4/data/record_reader.h"
#include "tests/data/data_fixtures.h"

namespace contra4::data {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

Item item_of(std::string text) {
  text.append(kRecordPadding, ' ');
  ItemParser parser(Extras::kKeep);
  return parser.parse(std::string_view(text).substr(0, text.size() - kRecordPadding)).value();
}

TEST(ItemJson, WritesEachSchemaOnOneLine) {
  const Item item = item_of(row_with("category", "\"Motion\""));
  const std::string common =
      R"({"id": "r1", "selection_type": "random", "q_type": "mc_2", "examples": [)"
      R"({"source": "coco_val", "id": 7, "caption": "a cat", "meta": {"w":1.50}}, )"
      R"({"source": "clotho", "id": "007", "caption": ["rain", "wind"]}], )"
      R"("modalities": ["image", "audio"], "category": "Motion", )";
  EXPECT_EQ(item_to_json(item, Schema::kReadme),
            common + R"("question": "Which scene is louder?", "gt_answer": "Scene B"})");
  EXPECT_EQ(item_to_json(item, Schema::kReleasedTest),
            common + R"("question": "Which scene is louder?", "answer": "B"})");
  EXPECT_EQ(item_to_json(item, Schema::kReleasedVal),
            common + R"("question": "Which scene is louder?", "answer": "Scene B"})");
  EXPECT_EQ(item_to_json(item, Schema::kGenerated),
            common + R"("questions": ["Which scene is louder?"], "answers": ["Scene B"]})");
}

TEST(ItemJson, ATupleStaysOneInEverySchema) {
  for (const Schema schema :
       {Schema::kReadme, Schema::kReleasedTest, Schema::kReleasedVal, Schema::kGenerated}) {
    const std::string json = item_to_json(item_of(tuple_row()), schema);
    EXPECT_THAT(json, Not(HasSubstr("question")));
    EXPECT_THAT(json, Not(HasSubstr("answer")));
    EXPECT_EQ(item_to_json(item_of(json), schema), json);
  }
}

TEST(ItemJson, AnUnlabelledItemHasNoAnswerMember) {
  const std::string json = item_to_json(item_of(row_with("gt_answer", "")), Schema::kReadme);
  EXPECT_THAT(json, Not(HasSubstr("answer")));
}

TEST(ItemJson, AModelsReasonSurvivesTheWayThroughEverySchema) {
  std::string row = row_with("gt_answer", "");
  row.back() = ',';
  for (const std::string answer : {"Scene B. It rains.", "It depends."}) {
    const Item first = item_of(row + R"("answers": [")" + answer + "\"]}");
    const std::string generated = item_to_json(first, Schema::kGenerated);
    for (const Schema schema : {Schema::kReadme, Schema::kReleasedTest, Schema::kReleasedVal}) {
      const Item second = item_of(item_to_json(first, schema));
      EXPECT_EQ(second.answer, first.answer);
      EXPECT_THAT(item_to_json(second, Schema::kGenerated),
                  HasSubstr("\"answers\": [\"" + answer + "\"]"));
    }
    EXPECT_THAT(generated, HasSubstr("\"answers\": [\"" + answer + "\"]"));
  }
}

TEST(ItemJson, ListsOfMoreThanOneAreKeptWhole) {
  std::string row = row_with("gt_answer", "");
  row.back() = ',';
  const Item item = item_of(row + R"("answers": ["Scene A", "Scene B"]})");
  EXPECT_EQ(item.answer, 0);
  EXPECT_THAT(item_to_json(item, Schema::kGenerated),
              HasSubstr(R"("answers": ["Scene A","Scene B"])"));
}

TEST(ItemJson, MovedScenesGiveTheAnswerItsNewName) {
  Item item = item_of(row_with("", ""));
  item.answer_text = "Scene B. It rains.";
  item.answer = 0;
  EXPECT_EQ(answer_in_schema(item, Schema::kGenerated), "Scene A");
}

TEST(ItemJson, NoMemberIsWrittenTwice) {
  Item item = item_of(row_with("answer", "null"));
  EXPECT_EQ(item_to_json(item, Schema::kReleasedTest).find("\"answer\": null"), std::string::npos);
  EXPECT_THAT(item_to_json(item, Schema::kReadme), HasSubstr("\"answer\": null"));
}

}  // namespace
}  // namespace contra4::data
