#include "contra4/scoring/shared_media.h"

#include <gtest/gtest.h>

#include "contra4/base/error.h"
#include "contra4/base/random.h"
#include "tests/scoring/scoring_fixtures.h"

namespace contra4::scoring {
namespace {

constexpr Modality kAny = Modality::kImage;

// What sum_of_products() computes, as its definition reads.
double by_definition(const std::vector<Item>& items, const std::vector<double>& values) {
  double sum = 0;
  for (std::size_t i = 0; i < items.size(); ++i) {
    for (std::size_t j = 0; j < items.size(); ++j) {
      bool is_related = i == j;
      for (const Scene& a : items[i].scenes) {
        for (const Scene& b : items[j].scenes) is_related |= a.source == b.source && a.id == b.id;
      }
      if (is_related) sum += values[i] * values[j];
    }
  }
  return sum;
}

TEST(SharedMedia, CountsEveryPairOnceHoweverManyMediaItShares) {
  const std::vector<Item> items = {
      make_item("1", {{kAny, "a"}, {kAny, "b"}}, 0), make_item("2", {{kAny, "b"}, {kAny, "a"}}, 0),
      make_item("3", {{kAny, "b"}, {kAny, "c"}}, 0), make_item("4", {{kAny, "x"}, {kAny, "y"}}, 0)};
  const SharedMedia media(items);
  EXPECT_EQ(media.num_items(), 4U);
  EXPECT_EQ(media.num_ordered_pairs(), 4 + 6);
  EXPECT_DOUBLE_EQ(media.sum_of_products(std::vector<double>{1, 2, 3, 4}), 36 + 16);
}

TEST(SharedMedia, TakesSourceAndIdTogether) {
  std::vector<Item> items = {make_item("1", {{kAny, "a"}, {kAny, "b"}}, 0),
                             make_item("2", {{kAny, "a"}, {kAny, "c"}}, 0)};
  items[1].scenes[0].source = "elsewhere";
  EXPECT_EQ(SharedMedia(items).num_ordered_pairs(), 2);
  items[1].scenes[0].source = "test";
  items[1].scenes[0].id.is_integer = true;  // the JSON type is no part of a medium
  EXPECT_EQ(SharedMedia(items).num_ordered_pairs(), 4);
}

TEST(SharedMedia, AgreesWithItsDefinitionOnRandomSets) {
  Random random(7);
  for (int round = 0; round < 50; ++round) {
    std::vector<Item> items;
    std::vector<double> values;
    for (int i = 0; i < 40; ++i) {
      Item item = make_item(std::to_string(i), {}, 0);
      for (std::uint64_t n = random.below(5); n > 0; --n) {  // none and repeats included
        Scene scene;
        scene.source = "test";
        scene.id = {std::to_string(random.below(20)), false};
        item.scenes.push_back(scene);
      }
      items.push_back(std::move(item));
      values.push_back(random.uniform() - 0.5);
    }
    const SharedMedia media(items);
    EXPECT_NEAR(media.sum_of_products(values), by_definition(items, values), 1e-9);
  }
}

TEST(SharedMedia, TakesOneMediumInEveryItem) {
  std::vector<Item> items;
  for (int i = 0; i < 20'000; ++i) {
    items.push_back(make_item(std::to_string(i), {{kAny, "same"}, {kAny, std::to_string(i)}}, 0));
  }
  EXPECT_EQ(SharedMedia(items).num_ordered_pairs(), 400'000'000);
}

TEST(SharedMedia, RefusesAnItemWithTooManyScenes) {
  const std::vector<Item> items = {
      make_item("long", {{kAny, "1"}, {kAny, "2"}, {kAny, "3"}, {kAny, "4"}, {kAny, "5"}}, 0)};
  try {
    SharedMedia media(items);
    FAIL();
  } catch (const Exception& exception) {
    EXPECT_EQ(exception.code(), ErrorCode::kInvalidArgument);
    EXPECT_NE(std::string(exception.what()).find("'long' has 5 scenes"), std::string::npos);
  }
}

TEST(SharedMediaGolden, ReleasedTestSetHas8215OrderedPairs) {
  CONTRA4_REQUIRE_SHARED();
  EXPECT_EQ(SharedMedia(released_test().items).num_ordered_pairs(), 8215);
}

}  // namespace
}  // namespace contra4::scoring
