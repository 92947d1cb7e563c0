#include "contra4/pipeline/stage.h"

#include <filesystem>
#include <fstream>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "contra4/base/error.h"
#include "contra4/io/file.h"
#include "tests/support/error_of.h"
#include "tests/support/test_env.h"

namespace contra4::pipeline {
namespace {

using contra4::testing::error_of;
using contra4::testing::TempDir;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

class StageTest : public ::testing::Test {
 protected:
  StageTest() { io::write_file_atomically(input_, "tuples"); }

  StageConfig config(const std::string& settings = R"({"seed": 1, "model": {"name": "m"}})") const {
    return {.stage = "generate", .settings_json = settings, .inputs = {{"tuples", input_}}};
  }
  Stage open(const StageConfig& config, WhenChanged when_changed = WhenChanged::kRefuse) const {
    return Stage::open({output_}, config, when_changed);
  }
  void make(Stage& stage, const std::string& content = "rows") const {
    io::write_file_atomically(output_, content);
    stage.finish({{"in", 3}, {"out", 2}}, {"a note"});
  }

  TempDir folder_;
  std::filesystem::path input_ = folder_.path() / "in.json";
  std::filesystem::path output_ = folder_.path() / "step2" / "random_test.json.gz";
};

TEST_F(StageTest, IsDoneOnceItsManifestIsWritten) {
  {
    Stage stage = open(config());
    EXPECT_FALSE(stage.is_done());
    make(stage);
    EXPECT_TRUE(stage.is_done());
  }
  const Stage again = open(config());
  ASSERT_TRUE(again.is_done());
  EXPECT_EQ(again.manifest().counts, (Counts{{"in", 3}, {"out", 2}}));
  EXPECT_THAT(again.manifest().notes, ElementsAre("a note"));
  EXPECT_EQ(manifest_path(output_).filename(), "random_test.manifest.json");
}

TEST_F(StageTest, RefusesOtherSettingsAndNamesEachDifference) {
  {
    Stage stage = open(config());
    make(stage);
  }
  const Error error =
      error_of([&] { open(config(R"({"seed": 2, "model": {"name": "n"}, "top_p": 0.9})")); });
  EXPECT_EQ(error.code, ErrorCode::kInvalidArgument);
  EXPECT_THAT(error.message, HasSubstr("settings.seed: 1 before, 2 now"));
  EXPECT_THAT(error.message, HasSubstr("settings.model.name: \"m\" before, \"n\" now"));
  EXPECT_THAT(error.message, HasSubstr("settings.top_p: not set before, 0.9 now"));
  EXPECT_THAT(error.message, HasSubstr("--overwrite"));
  EXPECT_TRUE(open(config()).is_done()) << "what was done stays";
}

TEST_F(StageTest, TellsWhatLiesBesideAnOutputFromTheOutput) {
  const Stage stage = open(config());
  EXPECT_FALSE(is_beside_output(output_));
  for (const auto& path : {manifest_path(output_), dropped_path(output_), stage.journal_path(),
                           stage.journal_path("llama")}) {
    EXPECT_TRUE(is_beside_output(path)) << path;
  }
}

TEST_F(StageTest, WhereTheServersAreDecidesNothing) {
  {
    Stage stage = open(config(R"({"models": [{"model": "m", "endpoints": ["http://a/v1"]}]})"));
    make(stage);
  }
  EXPECT_TRUE(
      open(config(R"({"models": [{"model": "m", "endpoints": ["http://b/v1"]}]})")).is_done());
  EXPECT_EQ(io::read_file(manifest_path(output_)).find("http"), std::string::npos);
}

TEST_F(StageTest, RefusesAnotherInputUnderTheSameName) {
  {
    Stage stage = open(config());
    make(stage);
  }
  io::write_file_atomically(input_, "other tuples");
  EXPECT_THAT(error_of([&] { open(config()); }).message, HasSubstr("input tuples"));
}

TEST_F(StageTest, RedoesWhatChangedAndKeepsEarlierJournals) {
  std::filesystem::path journal;
  {
    Stage stage = open(config());
    journal = stage.journal_path("llama");
    io::write_file_atomically(journal, "{}\n");
    make(stage);
  }
  EXPECT_THAT(journal.filename().string(), HasSubstr(".llama.journal.jsonl"));
  {
    Stage stage = open(config("{}"), WhenChanged::kRedo);
    EXPECT_FALSE(stage.is_done());
    EXPECT_NE(stage.journal_path("llama"), journal);
  }
  // Ended before finish(): neither the old nor the new settings may find their output done.
  EXPECT_FALSE(open(config()).is_done());
  EXPECT_TRUE(std::filesystem::exists(journal));
}

TEST_F(StageTest, OverwriteForgetsTheJournalsOfItsKey) {
  std::filesystem::path journal;
  {
    Stage stage = open(config());
    journal = stage.journal_path();
    io::write_file_atomically(journal, "{}\n");
    make(stage);
  }
  EXPECT_FALSE(open(config(), WhenChanged::kOverwrite).is_done());
  EXPECT_FALSE(std::filesystem::exists(journal));
}

TEST_F(StageTest, IsNotDoneWhenItsOutputIsGoneOrCut) {
  {
    Stage stage = open(config());
    make(stage, "many rows");
  }
  io::write_file_atomically(output_, "many");
  EXPECT_FALSE(open(config()).is_done());
  std::filesystem::remove(output_);
  EXPECT_FALSE(open(config()).is_done());
}

TEST_F(StageTest, ShardsAreOtherSteps) {
  StageConfig second = config();
  second.shard = {2, 4};
  const std::string key = open(config()).key();
  EXPECT_NE(open(second).key(), key);
}

TEST_F(StageTest, DropsEachRowOnce) {
  Stage stage = open(config());
  stage.drop("a \"quoted\" id", "no question mark");
  stage.drop("b", "too long", "412 characters");
  EXPECT_EQ(error_of([&] { stage.drop("b", "again"); }).code, ErrorCode::kInternal);
  make(stage);
  EXPECT_EQ(io::read_file(dropped_path(output_)),
            "{\"id\": \"a \\\"quoted\\\" id\", \"reason\": \"no question mark\"}\n"
            "{\"id\": \"b\", \"reason\": \"too long\", \"detail\": \"412 characters\"}\n");
}

TEST_F(StageTest, IsMadeByOneProcessAtATime) {
  const Stage stage = open(config());
  const Error error = error_of([&] { open(config()); });
  EXPECT_EQ(error.code, ErrorCode::kUnavailable);
  EXPECT_THAT(error.message, HasSubstr("another process"));
}

TEST_F(StageTest, AMissingInputIsNamed) {
  StageConfig wrong = config();
  wrong.inputs = {{"tuples", folder_.path() / "none.json"}};
  const Error error = error_of([&] { open(wrong); });
  EXPECT_EQ(error.code, ErrorCode::kNotFound);
  EXPECT_THAT(error.message, HasSubstr("none.json"));
}

TEST_F(StageTest, ADamagedManifestIsSaidNotGuessedAround) {
  {
    Stage stage = open(config());
    make(stage);
  }
  for (const char* text :
       {"", "{", "[]", "{}", R"({"format": 2})", R"({"format": 1, "stage": 3})",
        R"({"format": 1, "stage": "s", "key": "k", "version": "v", "settings": {}, "inputs": [],
            "outputs": {}, "counts": {}, "notes": []})",
        R"({"format": 1, "stage": "s", "key": "k", "version": "v", "settings": {}, "inputs": {},
            "outputs": {"a": "b"}, "counts": {}, "notes": []})"}) {
    io::write_file_atomically(manifest_path(output_), text);
    const Error error = error_of([&] { open(config()); });
    EXPECT_EQ(error.code, ErrorCode::kDataLoss) << text;
    EXPECT_THAT(error.message, HasSubstr("random_test.manifest.json")) << text;
  }
  EXPECT_FALSE(open(config(), WhenChanged::kOverwrite).is_done());
}

}  // namespace
}  // namespace contra4::pipeline
