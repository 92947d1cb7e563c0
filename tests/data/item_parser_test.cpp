#include "contra4/data/item_parser.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "contra4/data/record_reader.h"
#include "tests/data/data_fixtures.h"

namespace contra4::data {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Pair;

Result<Item> parse(ItemParser& parser, std::string text) {
  text.append(kRecordPadding, '#');
  return parser.parse(std::string_view(text).substr(0, text.size() - kRecordPadding));
}

Result<Item> parse(std::string text, Extras extras = Extras::kKeep, RowForm form = RowForm::kJson) {
  ItemParser parser(extras, form);
  return parse(parser, std::move(text));
}

TEST(ItemParser, ReadsEveryMember) {
  const Result<Item> item = parse(row_with("category", "\"Motion\""));
  ASSERT_TRUE(item.has_value()) << item.error().message;
  EXPECT_EQ(item->id.text, "r1");
  EXPECT_FALSE(item->id.is_integer);
  EXPECT_EQ(item->selection_type, "random");
  EXPECT_EQ(item->q_type, "mc_2");
  EXPECT_EQ(item->category, "Motion");
  EXPECT_EQ(item->question, "Which scene is louder?");
  EXPECT_EQ(item->answer, 1);
  EXPECT_EQ(item->answer_text, "Scene B");
  ASSERT_EQ(item->num_scenes(), 2);
  const Scene& first = item->scenes[0];
  EXPECT_EQ(first.modality, Modality::kImage);
  EXPECT_EQ(first.source, "coco_val");
  EXPECT_EQ(first.id.text, "7");
  EXPECT_TRUE(first.id.is_integer);
  EXPECT_THAT(first.captions, ElementsAre("a cat"));
  EXPECT_FALSE(first.captions_were_list);
  EXPECT_THAT(first.extra, ElementsAre(Pair("meta", R"({"w":1.50})")));
  const Scene& second = item->scenes[1];
  EXPECT_EQ(second.id.text, "007");
  EXPECT_FALSE(second.id.is_integer);
  EXPECT_THAT(second.captions, ElementsAre("rain", "wind"));
  EXPECT_TRUE(second.captions_were_list);
}

TEST(ItemParser, TellsTheFourSchemasApart) {
  ItemParser parser(Extras::kDrop);
  EXPECT_TRUE(parse(parser, row_with("", "")).has_value());
  EXPECT_EQ(parser.schema(), Schema::kReadme);
  const auto without_answer = row_with("gt_answer", "");
  const auto with = [&](const std::string& members) {
    return without_answer.substr(0, without_answer.size() - 1) + ", " + members + "}";
  };
  EXPECT_TRUE(parse(parser, with(R"("answer": "A")")).has_value());
  EXPECT_EQ(parser.schema(), Schema::kReleasedTest);
  EXPECT_TRUE(parse(parser, with(R"("answer": "Scene A")")).has_value());
  EXPECT_EQ(parser.schema(), Schema::kReleasedVal);
  std::string generated = with(R"("answers": ["Scene A. Louder."])");
  const std::string_view question = R"("question": "Which scene is louder?")";
  generated.replace(generated.find(question), question.size(),
                    R"("questions": ["Which scene is louder?"])");
  const auto item = parse(parser, generated);
  ASSERT_TRUE(item.has_value()) << item.error().message;
  EXPECT_EQ(parser.schema(), Schema::kGenerated);
  EXPECT_EQ(item->answer, 0);
  EXPECT_EQ(item->answer_text, "Scene A. Louder.");
  EXPECT_EQ(item->question, "Which scene is louder?");
}

TEST(ItemParser, ATupleHasNeitherQuestionNorAnswer) {
  ItemParser parser(Extras::kKeep);
  const auto item = parse(parser, tuple_row());
  ASSERT_TRUE(item.has_value()) << item.error().message;
  EXPECT_EQ(parser.schema(), Schema::kGenerated);
  EXPECT_EQ(item->question, "");
  EXPECT_EQ(item->answer, std::nullopt);
  EXPECT_THAT(item->scenes[0].captions, ElementsAre("rain", "wind"));
  for (const char* answer :
       {R"("answers": ["Scene A"])", R"("gt_answer": "Scene A")", R"("answer": "A")"}) {
    std::string row = tuple_row();
    row.back() = ',';
    const auto answered = parse(parser, row + answer + "}");
    ASSERT_FALSE(answered.has_value()) << answer;
    EXPECT_EQ(answered.error().message, "there is no question");
  }
}

TEST(ItemParser, AModelsWordsMayNameNoScene) {
  std::string row = row_with("gt_answer", "");
  row.back() = ',';
  const auto item = parse(row + R"("answers": ["It depends."]})");
  ASSERT_TRUE(item.has_value()) << item.error().message;
  EXPECT_FALSE(item->answer.has_value());
  EXPECT_EQ(item->answer_text, "It depends.");
}

TEST(ItemParser, IdsKeepTypeAndDigits) {
  const std::vector<std::tuple<std::string, std::string, bool>> cases = {
      {"\"007\"", "007", false},
      {"7", "7", true},
      {"-12", "-12", true},
      {"18446744073709551615", "18446744073709551615", true},
      {"123456789012345678901234567890", "123456789012345678901234567890", true},
      {"-123456789012345678901234567890", "-123456789012345678901234567890", true},
  };
  for (const Extras extras : {Extras::kKeep, Extras::kDrop}) {
    for (const auto& [json, text, is_integer] : cases) {
      const auto item = parse(row_with_id(json), extras);
      ASSERT_TRUE(item.has_value()) << item.error().message;
      EXPECT_EQ(item->id.text, text);
      EXPECT_EQ(item->id.is_integer, is_integer) << json;
    }
  }
}

TEST(ItemParser, BigIntegersBesideTheIdAreKeptAsTheyStand) {
  const auto item = parse(row_with(
      "n", R"([99999999999999999999, "99999999999999999999", 0.12345678901234567890123, 1e5])"));
  ASSERT_TRUE(item.has_value()) << item.error().message;
  EXPECT_THAT(
      item->extra,
      ElementsAre(Pair(
          "n", R"([99999999999999999999,"99999999999999999999",0.12345678901234567890123,1e5])")));
}

TEST(ItemParser, NullMembersAreAbsentButKept) {
  const auto item = parse(row_with("category", "null"));
  ASSERT_TRUE(item.has_value());
  EXPECT_EQ(item->category, "");
  EXPECT_THAT(item->extra, ElementsAre(Pair("category", "null")));
  EXPECT_FALSE(parse(row_with("gt_answer", "null"))->answer.has_value());
}

struct BadRow {
  std::string row;
  std::string reason;
};

TEST(ItemParser, SaysWhatIsWrong) {
  const auto examples = [](std::string_view second) {
    return row_with("examples", R"([{"source": "s", "id": 1}, )" + std::string(second) + "]");
  };
  const std::vector<BadRow> cases = {
      {row_with("id", ""), "there is no 'id'"},
      {row_with("id", "null"), "there is no 'id'"},
      {row_with("id", "1.5"), "'id' is a fractional number, not a string or an integer"},
      {row_with("id", "\"\""), "'id' is empty"},
      {row_with("id", "[1]"), "'id' is a list"},
      {row_with("question", ""), "there is no question"},
      {row_with("question", "7"), "'question' is a number, not a string"},
      {row_with("question", "\" \\n\""), "the question is empty"},
      {row_with("question", "\"a\\u0000b\""), "'question' holds a NUL character"},
      {row_with("questions", "[]"), ""},  // question wins
      {row_with("gt_answer", "\"Scene C\""), "the answer is Scene C, but there are 2 scenes"},
      {row_with("gt_answer", "\"Scene F\""), "'gt_answer' names no scene: 'Scene F'"},
      {row_with("gt_answer", "1"), "'gt_answer' is a number, not a string"},
      {row_with("answer", "\"A\""), "both 'gt_answer' and 'answer' are given"},
      {row_with("examples", ""), "there is no 'examples'"},
      {row_with("examples", "{}"), "'examples' is an object, not a list"},
      {examples("3"), "Scene B is a number, not an object"},
      {examples(R"({"id": 2})"), "Scene B has no 'source'"},
      {examples(R"({"source": "s"})"), "Scene B has no 'id'"},
      {examples(R"({"source": 1, "id": 2})"), "'source' of Scene B is a number, not a string"},
      {examples(R"({"source": "s", "id": 2, "caption": 5})"),
       "'caption' of Scene B is a number, not a string or a list of strings"},
      {examples(R"({"source": "s", "id": 2, "caption": ["a", null]})"),
       "'caption' of Scene B is null, not a string"},
      {examples(R"({"source": "s", "id": 2, "id": 3})"), "'id' of Scene B occurs twice"},
      {row_with("modalities", ""), "there is no 'modalities'"},
      {row_with("modalities", R"(["image"])"), "1 modalities for 2 scenes"},
      {row_with("modalities", R"(["image", "audio", "pc"])"), "3 modalities for 2 scenes"},
      {row_with("modalities", R"(["image", "smell"])"), "unknown modality 'smell'"},
      {row_with("modalities", R"(["image", 4])"), "'modalities' is a number, not a string"},
      {row_with("q_type", "2"), "'q_type' is a number, not a string"},
      {"[]", "the row is a list, not an object"},
      {"null", "the row is null, not an object"},
      {R"({"id": 1, "id": 2})", "'id' occurs twice"},
      {row_with("x", "[1, 2"), "not valid JSON"},
      {row_with("x", "01"), "not valid JSON"},
      {row_with("x", "1e999"), "not valid JSON"},
      {row_with("x", "NaN"), "not valid JSON"},
      {row_with("x", "\"\\ud800\""), "not valid JSON"},
      {row_with("x", "\"\xff\""), "not valid UTF-8"},
      {row_with("x", std::string("\"a\0b\"", 5)), "not valid JSON"},
      {row_with("x", std::string(2000, '[') + std::string(2000, ']')), "not valid JSON"},
  };
  for (const auto& [row, reason] : cases) {
    for (const Extras extras : {Extras::kKeep, Extras::kDrop}) {
      const auto item = parse(row, extras);
      if (reason.empty()) {
        EXPECT_TRUE(item.has_value()) << row;
      } else {
        ASSERT_FALSE(item.has_value()) << row.substr(0, 500);
        EXPECT_THAT(item.error().message, HasSubstr(reason)) << row.substr(0, 500);
      }
    }
  }
}

TEST(ItemParser, KnowsTheIdOfAWrongRowWhereverItStands) {
  ItemParser parser(Extras::kDrop);
  EXPECT_FALSE(parse(parser, R"({"q_type": 5, "id": "late"})").has_value());
  EXPECT_EQ(parser.id_text(), "late");
  EXPECT_FALSE(parse(parser, R"({"q_type": 5, "id": {}})").has_value());
  EXPECT_EQ(parser.id_text(), "");
  EXPECT_FALSE(parse(parser, R"({"q_type": 5, "id": 99999999999999999999})").has_value());
  EXPECT_EQ(parser.id_text(), "99999999999999999999");
  EXPECT_FALSE(parse(parser, "{").has_value());
  EXPECT_EQ(parser.id_text(), "");
}

TEST(ItemParser, ManyScenesAreReadButNotWithoutEnd) {
  const auto row_of = [](int count) {
    std::string examples = "[";
    std::string modalities = "[";
    for (int i = 0; i < count; ++i) {
      examples += (i > 0 ? "," : "") + std::string(R"({"source":"s","id":1})");
      modalities += i > 0 ? ",\"pc\"" : "\"pc\"";
    }
    std::string row = row_with("examples", examples + "]");
    const std::string_view old = R"(["image", "audio"])";
    row.replace(row.find(old), old.size(), modalities + "]");
    return row;
  };
  EXPECT_EQ(parse(row_of(26))->num_scenes(), 26);
  EXPECT_THAT(parse(row_of(27)).error().message, HasSubstr("more than 26 scenes"));
}

TEST(ItemParser, TheColumnsOfATableBringBackWhatItCannotSay) {
  const std::string row =
      R"({"id": "12", "id_is_integer": true, "question": "Q?", "gt_answer": "Scene A",)"
      R"( "category": null, "modalities": ["pc", "pc"], "extra": "{\"k\": [1, 2]}", "examples": [)"
      R"({"source": "s", "id": "1", "id_is_integer": true, "caption": "a", "captions": ["a", "b"],)"
      R"( "extra": null}, {"source": "s", "id": "02", "id_is_integer": false, "caption": "c",)"
      R"( "captions": null, "extra": "{\"url\": \"u\"}"}]})";
  const auto item = parse(row, Extras::kKeep, RowForm::kTable);
  ASSERT_TRUE(item.has_value()) << item.error().message;
  EXPECT_TRUE(item->id.is_integer);
  EXPECT_THAT(item->extra, ElementsAre(Pair("k", "[1,2]")));
  EXPECT_TRUE(item->scenes[0].id.is_integer);
  EXPECT_THAT(item->scenes[0].captions, ElementsAre("a", "b"));
  EXPECT_THAT(item->scenes[0].extra, ElementsAre());
  EXPECT_FALSE(item->scenes[1].captions_were_list);
  EXPECT_THAT(item->scenes[1].extra, ElementsAre(Pair("url", "\"u\"")));
}

TEST(ItemParser, ATextMarkedAsIntegerMustBeOne) {
  for (const char* id : {"007", "x", "1.5", "-", "1]"}) {
    const std::string row = R"({"id": ")" + std::string(id) +
                            R"(", "id_is_integer": true, "question": "Q?", "modalities": [],)"
                            R"( "examples": []})";
    const auto item = parse(row, Extras::kKeep, RowForm::kTable);
    ASSERT_FALSE(item.has_value());
    EXPECT_THAT(item.error().message, HasSubstr("marked as an integer"));
  }
}

}  // namespace
}  // namespace contra4::data
