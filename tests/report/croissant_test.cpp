#include "contra4/report/croissant.h"

#include <set>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "contra4/io/json.h"
#include "tests/report/dataset_fixtures.h"

namespace contra4::report {
namespace {

using testing::make_facts;

io::JsonValue croissant_of(const DatasetFacts& facts) {
  return io::parse_json(croissant_json(facts), "croissant.json").value();
}

std::string text_at(const io::JsonValue& json, std::string_view name) {
  const io::JsonValue* const value = json.find(name);
  return value == nullptr || value->find_string() == nullptr ? "" : *value->find_string();
}

TEST(Croissant, ConformsToTheVersionThatItNames) {
  DatasetFacts facts = make_facts();
  facts.info.licence_url = "https://example.org/licence";
  facts.info.creators = {"Ann \"O'Nym\""};
  const io::JsonValue json = croissant_of(facts);
  EXPECT_EQ(text_at(json, "conformsTo"), "http://mlcommons.org/croissant/1.0");
  EXPECT_EQ(text_at(json, "@type"), "sc:Dataset");
  EXPECT_EQ(text_at(json, "name"), "a-set");
  EXPECT_EQ(text_at(json, "license"), "https://example.org/licence");
  EXPECT_EQ(*json.find_path("@context", "@vocab")->find_string(), "https://schema.org/");
  EXPECT_EQ(*json.find_path("creator", 0, "name")->find_string(), "Ann \"O'Nym\"");
  EXPECT_EQ(*json.find_path("rai:dataLimitations", 0)->find_string(),
            "questions were written by rules; not for publication");
  EXPECT_EQ(croissant_json(facts), croissant_json(facts));
}

TEST(Croissant, FilesHaveHashAndSize) {
  const io::JsonValue json = croissant_of(make_facts());
  const io::JsonValue::Array& files = *json.find("distribution")->find_array();
  ASSERT_EQ(files.size(), 3U);
  EXPECT_EQ(text_at(files[0], "@type"), "cr:FileObject");
  EXPECT_EQ(text_at(files[0], "@id"), "test.parquet");
  EXPECT_EQ(text_at(files[0], "contentUrl"), "test.parquet");
  EXPECT_EQ(text_at(files[0], "contentSize"), "1000 B");
  EXPECT_EQ(text_at(files[0], "sha256"), std::string(64, 'c'));
  EXPECT_EQ(text_at(files[0], "encodingFormat"), "application/x-parquet");
  EXPECT_EQ(text_at(files[1], "encodingFormat"), "application/jsonlines");
  EXPECT_EQ(text_at(files[2], "encodingFormat"), "application/json");
}

TEST(Croissant, RecordsHaveQuestionAnswerAndScenes) {
  const io::JsonValue json = croissant_of(make_facts());
  const io::JsonValue::Array& sets = *json.find("recordSet")->find_array();
  ASSERT_EQ(sets.size(), 1U);
  std::set<std::string> ids;
  const auto visit = [&](const io::JsonValue& field) {
    ids.insert(text_at(field, "@id"));
    const io::JsonValue* const file = field.find_path("source", "fileObject", "@id");
    EXPECT_TRUE(file == nullptr || *file->find_string() == "test.parquet");
  };
  for (const io::JsonValue& field : *sets[0].find("field")->find_array()) {
    visit(field);
    const io::JsonValue* const scenes = field.find("subField");
    if (scenes == nullptr) continue;
    EXPECT_EQ(field.find("repeated")->find_bool(), true);
    for (const io::JsonValue& part : *scenes->find_array()) visit(part);
  }
  for (const char* const id :
       {"test/id", "test/question", "test/gt_answer", "test/examples", "test/examples/source",
        "test/examples/id", "test/examples/caption", "test/examples/modality"}) {
    EXPECT_TRUE(ids.contains(id)) << id;
  }
}

TEST(Croissant, EverySplitIsARecordSetOfItsOwn) {
  DatasetFacts facts = make_facts();
  facts.splits.push_back(facts.splits[0]);
  facts.splits[1].name = "val";
  facts.splits[1].files = {{"val.jsonl", 1, std::string(64, 'f')}};
  const io::JsonValue json = croissant_of(facts);
  EXPECT_EQ(json.find("distribution")->find_array()->size(), 4U);
  // Without Parquet there is no table that gives every id the same type.
  EXPECT_EQ(json.find("recordSet")->find_array()->size(), 1U);
}

}  // namespace
}  // namespace contra4::report
