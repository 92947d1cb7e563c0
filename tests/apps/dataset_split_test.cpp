#include <filesystem>
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "contra4/data/item_reader.h"
#include "contra4/io/json.h"
#include "tests/apps/overwriting.h"
#include "tests/apps/run_in_process.h"
#include "tests/support/test_env.h"

namespace contra4::apps {
namespace {

using contra4::testing::mini_dir;
using contra4::testing::TempDir;
using ::testing::HasSubstr;

io::JsonValue json_of(const Outcome& outcome) {
  return io::parse_json(outcome.out, "standard output").value();
}

std::string mini_test() {
  return (mini_dir() / "test.json").string();
}

std::int64_t shared_media(const std::string& a, const std::string& b) {
  const auto outcome = run({"dataset", "describe", a, "--against", b, "--json"});
  const auto count = json_of(outcome).find_path("overlap", "media")->find_integer();
  return count.value_or(-1);
}

// 60 items in a ring: each shares a medium with the next.
std::string write_ring(const TempDir& folder) {
  const std::string path = (folder / "ring.jsonl").string();
  std::ofstream file(path);
  for (int i = 0; i < 60; ++i) {
    file << R"({"id": "r)" << i
         << R"(", "selection_type": "random", "q_type": "mc_2", "examples": [)"
         << R"({"source": "s", "id": )" << i << R"(, "caption": "x"}, {"source": "s", "id": )"
         << (i + 1) % 60 << R"(, "caption": "y", "mine": 1}], "modalities": ["audio", "image"], )"
         << R"("question": "Which?", "gt_answer": "Scene A", "more": [1]})"
         << "\n";
  }
  return path;
}

TEST(DatasetSplit, PartsShareNoMediumAndHoldEveryRow) {
  const TempDir folder;
  const auto outcome =
      run({"dataset", "split", mini_test(), "--output-dir", folder.path().string(), "--json"});
  ASSERT_EQ(outcome.code, kExitDone) << outcome.err;
  std::int64_t rows = 0;
  for (const char* name : {"train.json", "val.json", "test.json"}) {
    const auto part = run({"dataset", "describe", (folder / name).string(), "--json"});
    rows += json_of(part).find("items")->find_integer().value_or(-1);
  }
  EXPECT_EQ(rows, 32);
  EXPECT_EQ(json_of(outcome).find("dropped")->find_integer(), 0);
  for (const char* other : {"val.json", "test.json"}) {
    EXPECT_EQ(shared_media((folder / "train.json").string(), (folder / other).string()), 0);
  }
  EXPECT_EQ(shared_media((folder / "val.json").string(), (folder / "test.json").string()), 0);
}

TEST(DatasetSplit, SaysWhenOneComponentIsTooLargeAndWhatHelps) {
  const TempDir folder;
  const std::string ring = write_ring(folder);
  const auto whole = run({"dataset", "split", ring});
  EXPECT_EQ(whole.code, kExitDone);
  EXPECT_THAT(whole.err, HasSubstr("train has 100.0% of the rows, not 80.0%"));
  EXPECT_THAT(whole.err, HasSubstr("60 of 60 rows hang together"));
  EXPECT_THAT(whole.err, HasSubstr("--method drop"));
  EXPECT_TRUE(std::filesystem::exists(folder / "ring_split/train.jsonl"));

  const auto divided = run({"dataset", "split", ring, "--method", "drop", "--parts", "a=0.8,b=0.2",
                            "--output-dir", (folder / "d").string(), "--json"});
  ASSERT_EQ(divided.code, kExitDone) << divided.err;
  const auto dropped = json_of(divided).find("dropped")->find_integer().value_or(-1);
  EXPECT_GE(dropped, 2);
  EXPECT_LE(dropped, 6);
  EXPECT_EQ(json_of(divided).find_path("cells", "mc_2/random")->find("dropped")->find_integer(),
            dropped);
  EXPECT_EQ(shared_media((folder / "d/a.jsonl").string(), (folder / "d/b.jsonl").string()), 0);
}

TEST(DatasetSplit, KeepsWhatNoReaderKnowsInAnyFormat) {
  const TempDir folder;
  const auto outcome = run({"dataset", "split", write_ring(folder), "--format", "json.gz",
                            "--output-dir", folder.path().string()});
  ASSERT_EQ(outcome.code, kExitDone) << outcome.err;
  const auto item = data::open_items(folder / "train.json.gz")->next();
  ASSERT_TRUE(item && *item);
  EXPECT_EQ((*item)->extra.front().first, "more");
  EXPECT_EQ((*item)->scenes[1].extra.front().first, "mine");
}

TEST(DatasetSplit, OverwritesOnlyWhenAsked) {
  const TempDir folder;
  expect_overwrites_only_when_asked(
      {"dataset", "split", mini_test(), "--output-dir", folder.path().string()});
}

TEST(DatasetSplit, ADryRunWritesNothing) {
  const TempDir folder;
  const auto outcome = run(
      {"dataset", "split", mini_test(), "--dry-run", "--output-dir", (folder / "new").string()});
  EXPECT_EQ(outcome.code, kExitDone);
  EXPECT_THAT(outcome.out, HasSubstr("train"));
  EXPECT_FALSE(std::filesystem::exists(folder / "new"));
}

TEST(DatasetSplit, RefusesPartsThatAreNone) {
  const auto outcome = run({"dataset", "split", mini_test(), "--parts", "train=0.8,val=0.1"});
  EXPECT_EQ(outcome.code, kExitUsage);
  EXPECT_THAT(outcome.err, HasSubstr("the shares add up to 0.9"));
}

TEST(DatasetSplit, AWrongRowEndsItBeforeAnythingIsWritten) {
  const TempDir folder;
  std::ofstream(folder / "wrong.jsonl") << "{\"id\": \"a\"}\n";
  const auto outcome = run({"dataset", "split", (folder / "wrong.jsonl").string()});
  EXPECT_EQ(outcome.code, kExitFailed);
  EXPECT_THAT(outcome.err, HasSubstr("wrong.jsonl: row 1"));
  EXPECT_FALSE(std::filesystem::exists(folder / "wrong_split"));
}

}  // namespace
}  // namespace contra4::apps
