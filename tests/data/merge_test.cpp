#include "contra4/data/merge.h"

#include <algorithm>
#include <vector>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "contra4/base/error.h"
#include "contra4/io/file.h"
#include "tests/data/data_fixtures.h"
#include "tests/support/error_of.h"
#include "tests/support/test_env.h"

namespace contra4::data {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

// Writes the items as so many shards of `whole` and gives their paths, last first.
std::vector<fs::path> write_shards(const std::vector<Item>& items, const fs::path& whole, int count,
                                   Schema schema) {
  std::vector<fs::path> paths;
  for (int index = count; index >= 1; --index) {
    const auto [first, last] = Shard{index, count}.range(items.size());
    const std::string name = whole.filename().string();
    const std::size_t dot = name.find('.');
    paths.push_back(whole.parent_path() / fmt::format("{}.shard-{}-of-{}{}", name.substr(0, dot),
                                                      index, count, name.substr(dot)));
    write_all({items.begin() + static_cast<std::ptrdiff_t>(first),
               items.begin() + static_cast<std::ptrdiff_t>(last)},
              paths.back(), schema);
  }
  return paths;
}

TEST(Merge, GivesTheBytesOfTheUnshardedFile) {
  const testing::TempDir folder;
  const std::vector<Item> items = read_all(testing::mini_dir() / "test.json");
  const auto expect_same = [&](const std::string& name, Schema schema, int count) {
    write_all(items, folder / name, schema);
    const std::string expected = io::read_file(folder / name);
    const auto shards = order_shards(write_shards(items, folder / name, count, schema));
    const fs::path merged = folder / ("merged" + name.substr(1));
    EXPECT_EQ(merge_rows(shards, merged), items.size());
    EXPECT_EQ(io::read_file(merged), expected) << name << " " << count;
  };
  for (const char* name : {"a.json", "a.json.gz", "a.jsonl", "a.jsonl.gz"}) {
    expect_same(name, Schema::kGenerated, 3);
  }
  expect_same("a.json", Schema::kReadme, 1);
  expect_same("a.jsonl", Schema::kReleasedTest, 2);
  expect_same("a.json", Schema::kGenerated, 40);  // 32 items: some shards are empty
}

TEST(Merge, GoesFromListToLinesAndBack) {
  const testing::TempDir folder;
  const std::vector<Item> items = read_all(testing::mini_dir() / "val.json");
  const auto lists = order_shards(write_shards(items, folder / "a.json", 3, Schema::kGenerated));
  merge_rows(lists, folder / "b.jsonl");
  write_all(items, folder / "c.jsonl", Schema::kGenerated);
  EXPECT_EQ(io::read_file(folder / "b.jsonl"), io::read_file(folder / "c.jsonl"));
}

TEST(Merge, KeepsRowsOfAnyShape) {
  const testing::TempDir folder;
  // As step 4 leaves them: members that no reader knows.
  const std::string first = R"({"id": "r_0", "answer_llama": ["A", null], "x": 1.50})";
  const std::string second = R"({"id": 7,  "answer_llama": []})";
  write_bytes(folder / "m.shard-1-of-2.json", "[\n" + first + "\n]\n");
  write_bytes(folder / "m.shard-2-of-2.json", "[\n" + second + "\n]\n");
  merge_rows({folder / "m.shard-1-of-2.json", folder / "m.shard-2-of-2.json"}, folder / "m.json");
  EXPECT_EQ(io::read_file(folder / "m.json"), "[\n" + first + ",\n" + second + "\n]\n");
}

TEST(Merge, OfEmptyShardsIsAnEmptyFile) {
  const testing::TempDir folder;
  write_bytes(folder / "m.shard-1-of-2.json", "[]\n");
  write_bytes(folder / "m.shard-2-of-2.json", "[]\n");
  EXPECT_EQ(merge_rows({folder / "m.shard-1-of-2.json", folder / "m.shard-2-of-2.json"},
                       folder / "m.json"),
            0U);
  EXPECT_EQ(io::read_file(folder / "m.json"), "[]\n");
}

TEST(Merge, RefusesAnIdThatOccursTwiceWithBothPlaces) {
  const testing::TempDir folder;
  write_bytes(folder / "m.shard-1-of-2.jsonl",
              row_with_id("\"a\"") + "\n" + row_with_id("\"b\"") + "\n");
  write_bytes(folder / "m.shard-2-of-2.jsonl",
              row_with_id("\"c\"") + "\n" + row_with_id("\"b\"") + "\n");
  const Error error = testing::error_of([&] {
    merge_rows({folder / "m.shard-1-of-2.jsonl", folder / "m.shard-2-of-2.jsonl"},
               folder / "m.jsonl");
  });
  EXPECT_EQ(error.code, ErrorCode::kInvalidArgument);
  EXPECT_THAT(error.message, HasSubstr("id 'b'"));
  EXPECT_THAT(error.message, HasSubstr("m.shard-1-of-2.jsonl and in"));
  EXPECT_FALSE(fs::exists(folder / "m.jsonl"));
}

TEST(Merge, ACutShardLeavesNothing) {
  const testing::TempDir folder;
  write_bytes(folder / "m.shard-1-of-2.json", "[\n" + row_with_id("\"a\"") + "\n]\n");
  write_bytes(folder / "m.shard-2-of-2.json", "[\n" + row_with_id("\"b\""));
  const Error error = testing::error_of([&] {
    merge_rows({folder / "m.shard-1-of-2.json", folder / "m.shard-2-of-2.json"}, folder / "m.json");
  });
  EXPECT_THAT(error.message, HasSubstr("m.shard-2-of-2.json"));
  EXPECT_FALSE(fs::exists(folder / "m.json"));
}

TEST(Merge, AStopLeavesNothing) {
  const testing::TempDir folder;
  write_bytes(folder / "m.json", "[\n" + row_with_id("\"a\"") + "\n]\n");
  std::stop_source stop;
  stop.request_stop();
  EXPECT_EQ(testing::error_of([&] {
              merge_rows({folder / "m.json"}, folder / "out.json", {}, stop.get_token());
            }).code,
            ErrorCode::kCancelled);
  EXPECT_FALSE(fs::exists(folder / "out.json"));
}

TEST(Shards, AreToldByName) {
  EXPECT_EQ(find_shard("x/random_test.shard-2-of-8.json.gz"), (Shard{2, 8}));
  EXPECT_EQ(unsharded_path("x/random_test.shard-2-of-8.json.gz"), "x/random_test.json.gz");
  for (const char* name : {"a.json", "a.shard-0-of-2.json", "a.shard-3-of-2.json", "a.shard-1.json",
                           "a.shard-1-of-2", "a.shard-x-of-2.json"}) {
    EXPECT_FALSE(find_shard(name)) << name;
    EXPECT_EQ(unsharded_path(name), name);
  }
}

TEST(Shards, ComeInTheOrderOfTheirNumbers) {
  std::vector<fs::path> paths;
  for (int index = 12; index >= 1; --index)
    paths.emplace_back(fmt::format("a.shard-{}-of-12.json", index));
  const auto ordered = order_shards(paths);
  std::reverse(paths.begin(), paths.end());
  EXPECT_EQ(ordered, paths);
}

TEST(Shards, AreRefusedWhenMissingRepeatedOrMixed) {
  const auto message = [](const std::vector<fs::path>& paths) {
    return testing::error_of([&] { order_shards(paths); }).message;
  };
  EXPECT_THAT(message({"a.shard-1-of-4.json", "a.shard-3-of-4.json"}),
              HasSubstr("2 of 4 shards of a.json are missing: number 2, 4"));
  EXPECT_THAT(message({"a.shard-1-of-2.json", "b/a.shard-1-of-2.json", "a.shard-2-of-2.json"}),
              HasSubstr("shard 1 of 2 is given twice"));
  EXPECT_THAT(message({"a.shard-1-of-2.json", "b.shard-2-of-2.json"}),
              HasSubstr("no shards of one"));
  EXPECT_THAT(message({"a.shard-1-of-2.json", "a.shard-2-of-3.json"}),
              HasSubstr("no shards of one"));
  EXPECT_THAT(message({"a.json"}), HasSubstr("a.shard-1-of-4.json"));
  EXPECT_THAT(message({}), HasSubstr("no shards"));
  EXPECT_THAT(message({"a.shard-1-of-1000000.json"}), HasSubstr("999999 of 1000000"));
}

}  // namespace
}  // namespace contra4::data
