#include "contra4/data/caption_table.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "contra4/base/error.h"
#include "tests/data/data_fixtures.h"
#include "tests/support/test_env.h"

namespace contra4::data {
namespace {

using ::testing::HasSubstr;

TEST(CaptionTable, ReadsEachFormatAndIgnoresOtherColumns) {
  const testing::TempDir folder;
  write_bytes(folder / "x.jsonl",
              R"({"source": "coco_val", "id": 7, "model": "m", "caption": "a cat"})"
              "\n"
              R"({"source": "clotho", "id": "007", "caption": ["rain", "wind"]})"
              "\n");
  write_bytes(folder / "x.json.gz", R"([{"source": "coco_val", "id": 7, "caption": "a cat"},)"
                                    R"( {"source": "clotho", "id": "007", "caption": "rain"}])");
  write_bytes(folder / "x.csv", "model,caption,id,source\nm,a cat,7,coco_val\nm,rain,007,clotho\n");
  for (const char* name : {"x.jsonl", "x.json.gz", "x.csv"}) {
    const CaptionTable table = CaptionTable::load(folder / name);
    EXPECT_EQ(table.size(), 2U) << name;
    ASSERT_NE(table.find("coco_val", {"7", true}), nullptr) << name;
    EXPECT_EQ(*table.find("coco_val", {"7", false}), "a cat");
    EXPECT_EQ(*table.find("clotho", {"007", false}), "rain");
    EXPECT_EQ(table.find("clotho", {"7", false}), nullptr);
    EXPECT_EQ(table.find("coco", {"7", true}), nullptr);
  }
}

TEST(CaptionTable, KeepsTheFirstCaptionOfAMedium) {
  CaptionTable table;
  table.add("s", {"1", true}, "first");
  table.add("s", {"1", false}, "second");
  EXPECT_EQ(*table.find("s", {"1", true}), "first");
  EXPECT_EQ(table.size(), 1U);
}

TEST(CaptionTable, AWrongRowIsNamed) {
  const testing::TempDir folder;
  const std::vector<std::pair<std::string, std::string>> cases = {
      {R"({"id": 7, "caption": "x"})", "no text under 'source'"},
      {R"({"source": "s", "id": 1.5, "caption": "x"})", "no string or integer under 'id'"},
      {R"({"source": "s", "id": 1})", "no text under 'caption'"},
      {R"({"source": "s", "id": 1, "caption": []})", "no text under 'caption'"},
      {R"({"source": "s")", "not valid JSON"},
  };
  for (const auto& [row, reason] : cases) {
    write_bytes(folder / "x.jsonl",
                R"({"source": "s", "id": 0, "caption": "x"})" + ("\n" + row) + "\n");
    try {
      CaptionTable::load(folder / "x.jsonl");
      FAIL() << row;
    } catch (const Exception& exception) {
      EXPECT_THAT(exception.what(), HasSubstr("x.jsonl: row 2: "));
      EXPECT_THAT(exception.what(), HasSubstr(reason));
    }
  }
}

}  // namespace
}  // namespace contra4::data
