#include "contra4/pipeline/step_files.h"

#include <filesystem>
#include <fstream>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "contra4/base/error.h"
#include "tests/support/error_of.h"
#include "tests/support/test_env.h"

namespace contra4::pipeline {
namespace {

using contra4::testing::TempDir;
using ::testing::HasSubstr;

void touch(const std::filesystem::path& path) {
  std::filesystem::create_directories(path.parent_path());
  std::ofstream(path) << "[]";
}

TEST(StepFiles, AreNamedAsThePublishedScriptsNameThem) {
  const StepFiles files{.folder = "data", .strategy = "similarity", .split = "train"};
  EXPECT_EQ(files.tuples(), "data/step1/tuples_similarity_train.json");
  EXPECT_EQ(files.questions(), "data/step2/similarity_train.json");
  EXPECT_EQ(files.answered(), "data/step2_3/similarity_train.json");
  EXPECT_EQ(files.answers_of("llama"), "data/step4/llama_similarity_train.json");
  EXPECT_EQ(files.filtered("unanimous_permute"),
            "data/filters_train/unanimous_permute_similarity_train.json");
  EXPECT_EQ(files.balanced(),
            "data/filters_train/unanimous_permute_similarity_train_balanced.json");
  EXPECT_EQ(files.categorized(),
            "data/filters_train/unanimous_permute_filter_similarity_train_balanced.json");
}

TEST(StepFiles, ShardsAndSuffixesHaveTheirPlaceInTheName) {
  const StepFiles files{.folder = "d", .suffix = ".json.gz", .shard = {2, 8}};
  EXPECT_EQ(files.tuples(), "d/step1/tuples_random_test.shard-2-of-8.json.gz");
  EXPECT_EQ(files.answers_of("phi"), "d/step4/phi_random_test.shard-2-of-8.json.gz");
  EXPECT_EQ(files.filtered("word_filtering"), "d/filters_test/word_filtering_random_test.json.gz");
}

TEST(StepFiles, AreFoundWithAnySuffix) {
  const TempDir folder;
  const StepFiles files{.folder = folder.path()};
  StepFiles zipped = files;
  zipped.suffix = ".jsonl.gz";
  touch(zipped.tuples());
  EXPECT_EQ(find_step_file(files.tuples(), "contra4 sample"), zipped.tuples());
  touch(files.tuples());
  EXPECT_EQ(find_step_file(files.tuples(), "contra4 sample"), files.tuples()) << "as asked for";
  StepFiles lines = files;
  lines.suffix = ".jsonl";
  EXPECT_THAT(
      contra4::testing::error_of([&] { find_step_file(lines.tuples(), "contra4 sample"); }).message,
      HasSubstr("both there"));
}

TEST(StepFiles, AMissingOneNamesTheCommandThatMakesIt) {
  const TempDir folder;
  const StepFiles files{.folder = folder.path()};
  const Error error =
      contra4::testing::error_of([&] { find_step_file(files.tuples(), "contra4 sample"); });
  EXPECT_EQ(error.code, ErrorCode::kNotFound);
  EXPECT_THAT(error.message, HasSubstr("tuples_random_test.json"));
  EXPECT_THAT(error.message, HasSubstr("`contra4 sample`"));
}

TEST(StepFiles, NamesEndBeforeTheirSuffixes) {
  EXPECT_EQ(step_name("a/random_test.json.gz"), "random_test");
  EXPECT_EQ(step_name("random_test.shard-1-of-2.jsonl"), "random_test.shard-1-of-2");
  EXPECT_EQ(step_name("v1.5_test.json"), "v1.5_test");
  EXPECT_EQ(step_name("folder/table"), "table");
}

}  // namespace
}  // namespace contra4::pipeline
