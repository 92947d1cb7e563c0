#include "contra4/data/split.h"

#include <algorithm>
#include <map>
#include <set>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "contra4/base/random.h"

namespace contra4::data {
namespace {

using ::testing::HasSubstr;

Item item_of(const std::vector<std::string>& media, std::string question = "") {
  Item item;
  item.question = std::move(question);
  item.selection_type = "random";
  for (const std::string& id : media) {
    item.scenes.push_back({.source = "s", .id = {.text = id}, .captions = {}, .extra = {}});
  }
  return item;
}

SplitRows rows_of(const std::vector<std::vector<std::string>>& media) {
  SplitRows rows(false);
  for (const auto& of_item : media) rows.add(item_of(of_item));
  return rows;
}

std::vector<SplitPart> parts_of(const char* text) {
  return parse_split_parts(text).value();
}

// Random tuples over few media: one giant component and some small ones.
SplitRows random_rows(std::uint64_t seed, std::size_t num_rows, std::uint64_t num_media) {
  Random random(seed);
  SplitRows rows(false);
  for (std::size_t row = 0; row < num_rows; ++row) {
    std::vector<std::string> media;
    const std::uint64_t count = 2 + random.below(3);
    for (std::uint64_t i = 0; i < count; ++i)
      media.push_back(std::to_string(random.below(num_media)));
    rows.add(item_of(media));
  }
  return rows;
}

void expect_no_shared_key(const SplitRows& rows, const SplitPlan& plan) {
  std::map<std::uint32_t, int> part_of_key;
  ASSERT_EQ(plan.part_of_row.size(), rows.size());
  for (std::size_t row = 0; row < rows.size(); ++row) {
    const int part = plan.part_of_row[row];
    if (part == kDroppedRow) continue;
    for (const std::uint32_t key : rows.keys(row)) {
      EXPECT_EQ(part_of_key.try_emplace(key, part).first->second, part) << "row " << row;
    }
  }
}

void expect_counts(const SplitPlan& plan) {
  for (std::size_t part = 0; part < plan.rows_of_part.size(); ++part) {
    EXPECT_EQ(std::count(plan.part_of_row.begin(), plan.part_of_row.end(), static_cast<int>(part)),
              static_cast<std::ptrdiff_t>(plan.rows_of_part[part]));
  }
}

TEST(SplitParts, AreReadInOrder) {
  const auto parts = parts_of("train=0.8,val=0.1,te-st_2=.1");
  ASSERT_EQ(parts.size(), 3U);
  EXPECT_EQ(parts[0].name, "train");
  EXPECT_DOUBLE_EQ(parts[0].share, 0.8);
  EXPECT_EQ(parts[2].name, "te-st_2");
}

TEST(SplitParts, RefusesWhatIsNone) {
  for (const char* text :
       {"", "train", "train=1", "train=0.5,val=0.4", "a=0.5,a=0.5", "a=0.5,b=x", "a=0.5,b=0.5x",
        "a=-0.5,b=1.5", "../a=0.5,b=0.5", "a=0.5,=0.5", "a=nan,b=0.5", "a=0.5,,b=0.5"}) {
    const auto parts = parse_split_parts(text);
    ASSERT_FALSE(parts) << text;
    EXPECT_THAT(parts.error().message, HasSubstr("train=0.8,val=0.1,test=0.1"));
  }
}

TEST(Split, NoMediumIsInTwoPartsWhateverTheMethod) {
  for (std::uint64_t seed = 0; seed < 30; ++seed) {
    for (const std::uint64_t num_media : {5U, 60U, 400U, 5000U}) {
      const SplitRows rows = random_rows(seed, 200, num_media);
      for (const char* text :
           {"train=0.8,val=0.1,test=0.1", "a=0.5,b=0.5", "a=0.2,b=0.3,c=0.4,d=0.1"}) {
        const SplitPlan whole = split_by_components(rows, parts_of(text), seed);
        expect_no_shared_key(rows, whole);
        expect_counts(whole);
        EXPECT_EQ(whole.num_dropped(), 0U);
        const SplitPlan dropped = split_by_dropping(rows, parts_of(text), seed);
        expect_no_shared_key(rows, dropped);
        expect_counts(dropped);
      }
    }
  }
}

TEST(SplitByComponents, MeetsTheSharesWhereNothingIsShared) {
  SplitRows rows(false);
  for (int i = 0; i < 1000; ++i) {
    rows.add(item_of({std::to_string(2 * i), std::to_string(2 * i + 1)}));
  }
  const auto parts = parts_of("train=0.8,val=0.1,test=0.1");
  for (const auto& plan :
       {split_by_components(rows, parts, 1), split_by_dropping(rows, parts, 1)}) {
    EXPECT_THAT(plan.rows_of_part, ::testing::ElementsAre(800, 100, 100));
    EXPECT_EQ(plan.num_components, 1000U);
    EXPECT_EQ(plan.num_dropped(), 0U);
  }
}

TEST(SplitByComponents, TellsTheLargestComponent) {
  const SplitRows rows = rows_of({{"1", "2"}, {"2", "3"}, {"3", "4"}, {"9", "8"}, {"5", "5"}});
  const SplitPlan plan = split_by_components(rows, parts_of("a=0.5,b=0.5"), 0);
  EXPECT_EQ(plan.num_components, 3U);
  EXPECT_EQ(plan.largest_component, 3U);
  EXPECT_THAT(plan.rows_of_part, ::testing::UnorderedElementsAre(3, 2));
}

TEST(SplitByDropping, DividesAChainAtTheCostOfOneRow) {
  std::vector<std::vector<std::string>> media;
  for (int i = 0; i < 100; ++i) media.push_back({std::to_string(i), std::to_string(i + 1)});
  const SplitRows rows = rows_of(media);
  EXPECT_EQ(split_by_components(rows, parts_of("a=0.5,b=0.5"), 0).largest_component, 100U);
  const SplitPlan plan = split_by_dropping(rows, parts_of("a=0.8,b=0.2"), 0);
  EXPECT_NEAR(static_cast<double>(plan.rows_of_part[1]), 20, 3);
  EXPECT_LE(plan.num_dropped(), 4U);
}

TEST(SplitByDropping, ComesNearToTheSharesWhereComponentsCannot) {
  const SplitRows rows = random_rows(3, 2000, 2000);
  const auto parts = parts_of("train=0.8,val=0.1,test=0.1");
  const SplitPlan plan = split_by_dropping(rows, parts, 3);
  const auto kept = static_cast<double>(rows.size() - plan.num_dropped());
  for (std::size_t part = 0; part < 3; ++part) {
    EXPECT_NEAR(static_cast<double>(plan.rows_of_part[part]) / kept, parts[part].share, 0.05);
  }
}

TEST(Split, SameSeedSamePlan) {
  const SplitRows rows = random_rows(5, 300, 300);
  const auto parts = parts_of("a=0.6,b=0.4");
  EXPECT_EQ(split_by_dropping(rows, parts, 9).part_of_row,
            split_by_dropping(rows, parts, 9).part_of_row);
  EXPECT_EQ(split_by_components(rows, parts, 9).part_of_row,
            split_by_components(rows, parts, 9).part_of_row);
}

TEST(Split, KeepsEqualQuestionsTogetherWhenAsked) {
  for (const bool together : {false, true}) {
    SplitRows rows(together);
    for (int i = 0; i < 10; ++i) rows.add(item_of({std::to_string(i)}, i < 5 ? "Which?" : ""));
    EXPECT_EQ(split_by_components(rows, parts_of("a=0.5,b=0.5"), 0).num_components,
              together ? 6U : 10U);
  }
}

TEST(Split, SourceAndIdAreNotRunTogether) {
  SplitRows rows(false);
  Item first = item_of({"c"});
  first.scenes[0].source = "ab";
  Item second = item_of({"bc"});
  second.scenes[0].source = "a";
  rows.add(first);
  rows.add(second);
  EXPECT_EQ(rows.num_keys(), 2U);
}

TEST(Split, OfNoRowsIsEmpty) {
  const SplitRows rows(false);
  EXPECT_TRUE(split_by_components(rows, parts_of("a=0.5,b=0.5"), 0).part_of_row.empty());
  EXPECT_TRUE(split_by_dropping(rows, parts_of("a=0.5,b=0.5"), 0).part_of_row.empty());
}

}  // namespace
}  // namespace contra4::data
