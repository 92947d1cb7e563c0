// The Parquet module from outside, through the functions that open it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "contra4/base/hash.h"
#include "contra4/data/caption_table.h"
#include "contra4/data/item_reader.h"
#include "contra4/data/item_writer.h"
#include "contra4/data/table_reader.h"
#include "contra4/io/file.h"
#include "tests/data/data_fixtures.h"
#include "tests/support/test_env.h"

namespace contra4::data {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::vector<Item> some_items(const testing::TempDir& folder) {
  std::string generated = row_with("gt_answer", "");
  generated.back() = ',';
  generated += R"("answers": ["Scene B. It rains.", "Scene A"], "permutations": [[0, 1], [1, 0]]})";
  write_bytes(folder / "in.jsonl", row_with_id("\"007\"") + "\n" +
                                       row_with_id("123456789012345678901234567890") + "\n" +
                                       row_with("category", "null") + "\n" + generated + "\n" +
                                       row_with("gt_answer", "") + "\n");
  return read_all(folder / "in.jsonl");
}

TEST(ParquetItems, KeepEverythingInEverySchema) {
  const testing::TempDir folder;
  const std::vector<Item> items = some_items(folder);
  for (const Schema schema :
       {Schema::kReadme, Schema::kReleasedTest, Schema::kReleasedVal, Schema::kGenerated}) {
    write_all(items, folder / "x.parquet", schema);
    const std::vector<Item> again = read_all(folder / "x.parquet");
    ASSERT_EQ(again.size(), items.size());
    for (std::size_t i = 0; i < items.size(); ++i) {
      EXPECT_EQ(item_to_json(again[i], schema), item_to_json(items[i], schema));
    }
  }
}

TEST(ParquetItems, TuplesStayWithoutQuestion) {
  const testing::TempDir folder;
  write_bytes(folder / "in.jsonl", tuple_row() + "\n");
  const std::vector<Item> items = read_all(folder / "in.jsonl");
  write_all(items, folder / "x.parquet", Schema::kGenerated);
  const std::vector<Item> again = read_all(folder / "x.parquet");
  ASSERT_EQ(again.size(), 1U);
  EXPECT_EQ(item_to_json(again[0], Schema::kGenerated), item_to_json(items[0], Schema::kGenerated));
}

TEST(ParquetItems, ManyRowsTakeSeveralGroupsAndReadInOrder) {
  const testing::TempDir folder;
  Item item = some_items(folder).at(0);
  const auto writer = create_items(folder / "x.parquet", Schema::kReadme);
  constexpr int kRows = 20000;
  for (int i = 0; i < kRows; ++i) {
    item.id = {std::to_string(i), true};
    writer->write(item);
  }
  writer->commit();
  const auto reader = open_items(folder / "x.parquet", {}, Extras::kDrop);
  for (int i = 0; i < kRows; ++i) {
    const auto row = reader->next();
    ASSERT_TRUE(row.has_value() && row->has_value());
    ASSERT_EQ((*row)->id.text, std::to_string(i));
    ASSERT_EQ(reader->row(), static_cast<std::uint64_t>(i) + 1);
  }
  EXPECT_FALSE(reader->next().has_value());
  EXPECT_FALSE(reader->ended_early());
}

TEST(ParquetItems, LoadAsASetWithTheHashOfTheFile) {
  const testing::TempDir folder;
  write_all({some_items(folder).at(0)}, folder / "x.parquet", Schema::kReadme);
  const Dataset dataset = load_dataset(folder / "x.parquet", {.answer = true, .captions = true});
  EXPECT_EQ(dataset.name, "x");
  EXPECT_EQ(dataset.sha256, sha256_hex_of_file(folder / "x.parquet"));
}

TEST(ParquetItems, AnEmptySetIsAFileWithoutRows) {
  const testing::TempDir folder;
  write_all({}, folder / "x.parquet", Schema::kReadme);
  EXPECT_TRUE(read_all(folder / "x.parquet").empty());
}

TEST(ParquetItems, WithoutCommitNothingAppears) {
  const testing::TempDir folder;
  const Item item = some_items(folder).at(0);
  { create_items(folder / "x.parquet", Schema::kReadme)->write(item); }
  EXPECT_FALSE(std::filesystem::exists(folder / "x.parquet"));
}

TEST(ParquetItems, ARowThatIsNoItemIsNamed) {
  const testing::TempDir folder;
  std::vector<Item> items = some_items(folder);
  items[1].answer = 3;
  write_all(items, folder / "x.parquet", Schema::kReadme);
  const std::vector<std::string> ids = ids_of(*open_items(folder / "x.parquet"));
  ASSERT_EQ(ids.size(), items.size());
  EXPECT_EQ(ids[0], "007");
  EXPECT_THAT(ids[1], HasSubstr("x.parquet: row 2 (id 123456789012345678901234567890): the answer "
                                "is Scene D, but there are 2 scenes"));
}

TEST(ParquetItems, WhatIsNoParquetIsDataLoss) {
  const testing::TempDir folder;
  write_bytes(folder / "x.parquet", "PAR1 this is not one PAR1");
  write_all(some_items(folder), folder / "whole.parquet", Schema::kReadme);
  const std::string whole = io::read_file(folder / "whole.parquet");
  io::write_file_atomically(folder / "cut.parquet", whole.substr(0, whole.size() / 2));
  for (const char* name : {"x.parquet", "cut.parquet"}) {
    try {
      open_items(folder / name);
      FAIL() << name;
    } catch (const Exception& exception) {
      EXPECT_EQ(exception.code(), ErrorCode::kDataLoss);
      EXPECT_THAT(exception.what(), HasSubstr(std::string(name) + ": not a readable Parquet file"));
    }
  }
  try {
    open_items(folder / "none.parquet");
    FAIL() << "no exception";
  } catch (const Exception& exception) {
    EXPECT_EQ(exception.code(), ErrorCode::kNotFound);
  }
}

TEST(ParquetItems, DamagedPagesAreToldNeverACrash) {
  const testing::TempDir folder;
  std::vector<Item> items;
  for (int i = 0; i < 50; ++i) items.push_back(some_items(folder).at(0));
  write_all(items, folder / "x.parquet", Schema::kReadme);
  const std::string whole = io::read_file(folder / "x.parquet");
  for (std::size_t at = 4; at + 8 < whole.size(); at += 131) {
    std::string damaged = whole;
    damaged[at] = static_cast<char>(damaged[at] ^ 0x5A);
    io::write_file_atomically(folder / "damaged.parquet", damaged);
    try {
      const auto reader = open_items(folder / "damaged.parquet");
      for (int rows = 0; reader->next() && rows < 1000; ++rows) {
      }
    } catch (const Exception& exception) {
      EXPECT_EQ(exception.code(), ErrorCode::kDataLoss) << at << exception.what();
    }
  }
}

TEST(ParquetItems, PagesAboveTheMemoryLimitAreRefused) {
  const testing::TempDir folder;
  std::vector<Item> items;
  for (int i = 0; i < 200; ++i) {
    items.push_back(some_items(folder).at(0));
    items.back().question = std::to_string(i) + std::string(1U << 15, 'q');
  }
  write_all(items, folder / "x.parquet", Schema::kReadme);
  std::string message;
  try {
    message = ids_of(*open_items(folder / "x.parquet", {.max_table_bytes = 1U << 20})).back();
  } catch (const Exception& exception) {
    message = exception.what();
  }
  EXPECT_THAT(message, HasSubstr("needs more memory than the limit allows"));
}

TEST(ParquetItems, AreATableOfTheSameColumns) {
  const testing::TempDir folder;
  write_all(some_items(folder), folder / "x.parquet", Schema::kReadme);
  const auto table = open_table(folder / "x.parquet");
  EXPECT_THAT(table->columns(),
              ElementsAre("id", "id_is_integer", "selection_type", "q_type", "examples",
                          "modalities", "category", "question", "gt_answer", "extra"));
  const auto row = table->next();
  ASSERT_TRUE(row.has_value() && row->has_value());
  EXPECT_EQ(*(*row)->find_path("examples", 1, "captions", 1)->find_string(), "wind");
  EXPECT_TRUE((*row)->find("category")->is_null());
}

}  // namespace
}  // namespace contra4::data
