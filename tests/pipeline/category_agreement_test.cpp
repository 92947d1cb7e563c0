#include "contra4/pipeline/category_agreement.h"

#include <cmath>
#include <fstream>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "contra4/base/error.h"
#include "contra4/io/json.h"
#include "tests/support/error_of.h"
#include "tests/support/test_env.h"

namespace contra4::pipeline {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using testing::error_of;
using ::testing::HasSubstr;

fs::path file_of(const testing::TempDir& folder, const std::string& name,
                 const std::vector<std::string>& categories, int first_id = 0) {
  const fs::path path = folder / (name + ".jsonl");
  std::ofstream file(path);
  for (const std::string& category : categories) {
    file << R"({"id": )" << first_id++
         << R"(, "question": "Which?", "examples": [], "modalities": [])"
         << (category.empty() ? "" : R"(, "category": ")" + category + "\"") << "}\n";
  }
  return path;
}

TEST(CategoryAgreement, CountsPairsAndShares) {
  const testing::TempDir folder;
  const auto given = file_of(folder, "given", {"A", "A", "A", "B", "B", "C", "", "A"});
  const auto chosen = file_of(folder, "chosen", {"A", "A", "B", "B", "", "D", "A", "A"});
  const auto agreement = compare_categories(given, chosen, {"B", "A"});
  EXPECT_THAT(agreement.names, ElementsAre("B", "A", "C", "D"));
  EXPECT_THAT(agreement.counts,
              ElementsAre(ElementsAre(1, 0, 0, 0, 1), ElementsAre(1, 3, 0, 0, 0),
                          ElementsAre(0, 0, 0, 1, 0), ElementsAre(0, 0, 0, 0, 0)));
  EXPECT_EQ(agreement.total, 7);
  EXPECT_EQ(agreement.agreed, 4);
  EXPECT_DOUBLE_EQ(agreement.agreement(), 4.0 / 7);
  EXPECT_DOUBLE_EQ(agreement.commonest_share(), 4.0 / 7);
  EXPECT_DOUBLE_EQ(agreement.recall(0), 0.5);
  EXPECT_DOUBLE_EQ(agreement.precision(0), 0.5);
  EXPECT_DOUBLE_EQ(agreement.recall(1), 0.75);
  EXPECT_DOUBLE_EQ(agreement.precision(1), 1);
  EXPECT_TRUE(std::isnan(agreement.precision(2)));
  // By chance: (2 x 2 + 4 x 3) / 49.
  EXPECT_DOUBLE_EQ(agreement.kappa(), (4.0 / 7 - 16.0 / 49) / (1 - 16.0 / 49));
}

TEST(CategoryAgreement, IsPerfectWithItself) {
  const testing::TempDir folder;
  const auto file = file_of(folder, "a", {"A", "B", "A"});
  EXPECT_DOUBLE_EQ(compare_categories(file, file, {}).kappa(), 1);
  const auto one = file_of(folder, "b", {"A", "A"});
  EXPECT_DOUBLE_EQ(compare_categories(one, one, {}).kappa(), 1);
}

TEST(CategoryAgreement, RefusesOtherRowsAndFilesWithoutCategories) {
  const testing::TempDir folder;
  const auto given = file_of(folder, "given", {"A", "B"});
  const auto shifted = file_of(folder, "shifted", {"A", "B"}, 1);
  const auto shorter = file_of(folder, "shorter", {"A"});
  const auto without = file_of(folder, "without", {"", ""});
  for (const auto& other : {shifted, shorter}) {
    EXPECT_THAT(error_of([&] { compare_categories(given, other, {}); }).message,
                HasSubstr("is not the row of"));
  }
  EXPECT_THAT(error_of([&] { compare_categories(without, given, {}); }).message,
              HasSubstr("no row has a category"));
}

TEST(CategoryAgreement, IsJson) {
  const testing::TempDir folder;
  const auto given = file_of(folder, "given", {"A", "B", "B"});
  const auto chosen = file_of(folder, "chosen", {"A", "A", ""});
  const auto json = io::parse_json(to_json(compare_categories(given, chosen, {})), "json").value();
  EXPECT_EQ(json.find("total")->find_integer(), 3);
  EXPECT_EQ(json.find_path("categories", "B", "chosen_as", "A")->find_integer(), 1);
  EXPECT_EQ(json.find_path("categories", "B", "chosen_as", "")->find_integer(), 1);
  EXPECT_EQ(json.find_path("categories", "A", "precision")->find_number(), 0.5);
}

}  // namespace
}  // namespace contra4::pipeline
