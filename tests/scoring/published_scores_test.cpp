#include "contra4/scoring/published_scores.h"

#include <gtest/gtest.h>

#include "contra4/io/file.h"
#include "contra4/io/json.h"
#include "tests/scoring/scoring_fixtures.h"

namespace contra4::scoring {
namespace {

TEST(PublishedScores, CountsPredictionsAndListsOfModalities) {
  std::vector<Item> items = {
      make_item("1", {{Modality::kAudio, "a"}, {Modality::kImage, "b"}}, 1),
      make_item("2", {{Modality::kImage, "a"}, {Modality::kImage, "c"}}, 0, "similarity"),
      make_item("3", {{Modality::kVideo, "d"}, {Modality::kAudio, "e"}}, 0)};
  items.push_back(items[0]);
  items.back().answer.reset();
  const std::vector<PublishedPrediction> predictions = {
      {0, "Scene B"}, {1, "Scene B"}, {2, "nothing"}, {3, "Scene A"}};
  EXPECT_EQ(published_scores(items, predictions),
            "all: 1/3 (0.33)\n"
            "mc2_rand: 1/2 (0.50)\nmc2_hs: 0/1 (0.00)\nmc2: 1/3 (0.33)\n"
            "mc3_rand: 0/0 (0.00)\nmc3_hs: 0/0 (0.00)\nmc3: 0/0 (0.00)\n"
            "mc4_rand: 0/0 (0.00)\nmc4_hs: 0/0 (0.00)\nmc4: 0/0 (0.00)\n"
            "sample_rand: 1/2 (0.50)\nsample_hs: 0/1 (0.00)\nall: 1/3 (0.33)\n"
            "0.50,0.00,0.33,0.00,0.00,0.00,0.00,0.00,0.00,0.50,0.00,0.33,\n"
            "['audio', 'image']: 1/1 (1.00)\n['video', 'audio']: 0/1 (0.00)\n");
}

TEST(PublishedScoresGolden, ReproducesThePublishedTextByteForByte) {
  CONTRA4_REQUIRE_SHARED();
  const auto folder = testing::shared_dir() / "goldens/evaluation";
  const auto golden =
      io::parse_json(testing::read_gz(folder / "contains_rule.predictions.json.gz"), "golden")
          .value();
  const auto& items = released_test().items;
  std::vector<PublishedPrediction> predictions;
  for (std::size_t i = 0; i < golden.find_array()->size(); ++i) {
    const io::JsonValue& row = (*golden.find_array())[i];
    ASSERT_EQ(*row.find("id")->find_string(), items[i].id.text);
    predictions.push_back({i, *row.find("pred_ans")->find_string()});
  }
  EXPECT_EQ(published_scores(items, predictions),
            io::read_file(folder / "contains_rule.published_scores.txt"));
}

}  // namespace
}  // namespace contra4::scoring
