#include "contra4/data/item_writer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "contra4/io/file.h"
#include "tests/data/data_fixtures.h"
#include "tests/support/test_env.h"

namespace contra4::data {
namespace {

std::vector<Item> some_items(const testing::TempDir& folder) {
  write_bytes(folder / "in.jsonl", row_with_id("\"a\"") + "\n" + row_with_id("7") + "\n" +
                                       row_with("url", "\"\\u00e9 \\\" \xE6\x97\xA5\"") + "\n");
  return read_all(folder / "in.jsonl");
}

TEST(ItemWriter, EverySuffixReadsBackTheSame) {
  const testing::TempDir folder;
  const std::vector<Item> items = some_items(folder);
  for (const char* name : {"x.json", "x.json.gz", "x.jsonl", "x.jsonl.gz"}) {
    write_all(items, folder / name, Schema::kReadme);
    const std::vector<Item> again = read_all(folder / name);
    ASSERT_EQ(again.size(), items.size()) << name;
    for (std::size_t i = 0; i < items.size(); ++i) {
      EXPECT_EQ(item_to_json(again[i], Schema::kReadme), item_to_json(items[i], Schema::kReadme));
    }
  }
}

TEST(ItemWriter, AListHasOneRowALine) {
  const testing::TempDir folder;
  const std::vector<Item> items = some_items(folder);
  write_all(items, folder / "x.json", Schema::kReadme);
  const std::string text = io::read_file(folder / "x.json");
  EXPECT_EQ(text.substr(0, 3), "[\n{");
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 5);
  EXPECT_TRUE(text.ends_with("}\n]\n"));
  write_all({}, folder / "empty.json", Schema::kReadme);
  EXPECT_EQ(io::read_file(folder / "empty.json"), "[]\n");
}

TEST(ItemWriter, GzipFilesAreReproducible) {
  const testing::TempDir folder;
  const std::vector<Item> items = some_items(folder);
  write_all(items, folder / "a.json.gz", Schema::kReadme);
  write_all(items, folder / "b.json.gz", Schema::kReadme);
  EXPECT_EQ(io::read_file(folder / "a.json.gz"), io::read_file(folder / "b.json.gz"));
}

TEST(ItemWriter, WithoutCommitTheOldFileStays) {
  const testing::TempDir folder;
  const std::vector<Item> items = some_items(folder);
  write_bytes(folder / "x.json", "old");
  { create_items(folder / "x.json", Schema::kReadme)->write(items[0]); }
  EXPECT_EQ(io::read_file(folder / "x.json"), "old");
}

TEST(ItemWriter, RefusesASuffixNobodyWrites) {
  const testing::TempDir folder;
  for (const char* name : {"x.csv", "x.txt", "x", "x.parquet.gz"}) {
    try {
      create_items(folder / name, Schema::kReadme);
      FAIL() << name;
    } catch (const Exception& exception) {
      EXPECT_EQ(exception.code(), ErrorCode::kInvalidArgument);
      EXPECT_THAT(exception.what(), ::testing::HasSubstr(".jsonl"));
    }
  }
}

}  // namespace
}  // namespace contra4::data
