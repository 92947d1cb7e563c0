#include "contra4/pipeline/stage_merge.h"

#include <fstream>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "contra4/base/error.h"
#include "contra4/io/file.h"
#include "tests/support/error_of.h"
#include "tests/support/test_env.h"

namespace contra4::pipeline {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

class StageMergeTest : public ::testing::Test {
 protected:
  StageMergeTest() { io::write_file_atomically(folder_ / "input", "rows"); }

  // A step that wrote `text`, counted ten rows and dropped one.
  fs::path make(const Shard& shard, const std::string& text,
                const std::string& settings = R"({"a": 1})", const std::string& input = "input") {
    const std::string part =
        shard.is_whole() ? "" : fmt::format(".shard-{}-of-{}", shard.index, shard.count);
    const fs::path output = folder_ / ("out" + part + ".json");
    Stage stage = Stage::open({output},
                              {.stage = "generate",
                               .settings_json = settings,
                               .inputs = {{"tuples", folder_ / input}},
                               .shard = shard},
                              WhenChanged::kRedo);
    if (stage.is_done()) return output;
    stage.drop(fmt::format("d{}", shard.index), "malformed");
    io::write_file_atomically(output, text);
    stage.finish({{"tuples", 10}, {fmt::format("of shard {}", shard.index), 1}},
                 {"by rules", fmt::format("note {}", shard.index)});
    return output;
  }

  testing::TempDir folder_;
};

TEST_F(StageMergeTest, TheStepInOneGoCountsAsDone) {
  const std::vector<fs::path> shards = {make({1, 2}, "x"), make({2, 2}, "yy")};
  const auto manifest = merge_manifests(shards);
  ASSERT_TRUE(manifest);
  EXPECT_THAT(manifest->counts, ElementsAre(std::pair("tuples", 20), std::pair("of shard 1", 1),
                                            std::pair("of shard 2", 1)));
  EXPECT_THAT(manifest->notes, ElementsAre("by rules", "note 1", "note 2"));
  EXPECT_TRUE(manifest->shard.is_whole());

  const fs::path output = folder_ / "out.json";
  io::write_file_atomically(output, "xyy");
  finish_merge(shards, {output}, *manifest);
  const auto stage = Stage::open({output},
                                 {.stage = "generate",
                                  .settings_json = R"({"a": 1})",
                                  .inputs = {{"tuples", folder_ / "input"}}},
                                 WhenChanged::kRefuse);
  EXPECT_TRUE(stage.is_done());
  EXPECT_EQ(
      io::read_file(dropped_path(output)),
      "{\"id\": \"d1\", \"reason\": \"malformed\"}\n{\"id\": \"d2\", \"reason\": \"malformed\"}\n");
}

TEST_F(StageMergeTest, InputsOfItsOwnAreListedByShard) {
  io::write_file_atomically(folder_ / "other", "other rows");
  const auto manifest =
      merge_manifests({make({1, 2}, "x"), make({2, 2}, "y", R"({"a": 1})", "other")});
  ASSERT_EQ(manifest->inputs.size(), 2U);
  EXPECT_EQ(manifest->inputs[0].first, "tuples, shard 1/2");
  EXPECT_EQ(manifest->inputs[1].first, "tuples, shard 2/2");
}

TEST_F(StageMergeTest, FilesOfNoStepHaveNoManifest) {
  io::write_file_atomically(folder_ / "a.shard-1-of-1.json", "[]");
  EXPECT_FALSE(merge_manifests({folder_ / "a.shard-1-of-1.json"}));
}

TEST_F(StageMergeTest, RefusesShardsOfOtherSettingsWithTheDifference) {
  const Error error = testing::error_of([&] {
    merge_manifests({make({1, 2}, "x"), make({2, 2}, "y", R"({"a": 2})")});
  });
  EXPECT_EQ(error.code, ErrorCode::kInvalidArgument);
  EXPECT_THAT(error.message, HasSubstr("settings.a: 1 before, 2 now"));
}

TEST_F(StageMergeTest, RefusesAShardThatIsNotFinishedOrWasChanged) {
  const std::vector<fs::path> shards = {make({1, 2}, "x"), make({2, 2}, "y")};
  io::write_file_atomically(shards[1], "changed");
  EXPECT_THAT(testing::error_of([&] { merge_manifests(shards); }).message,
              HasSubstr("was changed after its step"));
  fs::remove(manifest_path(shards[1]));
  EXPECT_THAT(testing::error_of([&] { merge_manifests(shards); }).message,
              HasSubstr("is not finished"));
}

TEST_F(StageMergeTest, RefusesAFileThatIsNotTheShardItIsCalled) {
  const fs::path shard = make({1, 2}, "x");
  EXPECT_THAT(testing::error_of([&] { merge_manifests({shard}); }).message,
              HasSubstr("is shard 1/2 by its manifest"));
}

}  // namespace
}  // namespace contra4::pipeline
