#include "contra4/data/file_format.h"

#include <gtest/gtest.h>

namespace contra4::data {
namespace {

TEST(FileFormat, GoesByTheSuffixBeforeGz) {
  EXPECT_EQ(find_file_format("a/test.json"), FileFormat::kJson);
  EXPECT_EQ(find_file_format("a/test.JSON.GZ"), FileFormat::kJson);
  EXPECT_EQ(find_file_format("test.jsonl.gz"), FileFormat::kJsonLines);
  EXPECT_EQ(find_file_format("test.csv"), FileFormat::kCsv);
  EXPECT_EQ(find_file_format("test.parquet"), FileFormat::kParquet);
  EXPECT_FALSE(find_file_format("test.gz").has_value());
  EXPECT_FALSE(find_file_format("test").has_value());
  EXPECT_FALSE(find_file_format("json").has_value());
}

TEST(FileFormat, TheNameOfASetHasNoSuffixOfOurs) {
  EXPECT_EQ(dataset_name("a/test.json"), "test");
  EXPECT_EQ(dataset_name("a/train_1.json.gz"), "train_1");
  EXPECT_EQ(dataset_name("my.set.parquet"), "my.set");
  EXPECT_EQ(dataset_name("v1.2"), "v1.2");
}

}  // namespace
}  // namespace contra4::data
