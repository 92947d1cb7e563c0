#include "contra4/scoring/scoring_rule.h"

#include <gtest/gtest.h>

#include "contra4/io/json.h"
#include "contra4/scoring/choice_rule.h"
#include "contra4/scoring/published_scores.h"
#include "tests/scoring/scoring_fixtures.h"

namespace contra4::scoring {
namespace {

const std::vector<SceneView> kShown = {{Modality::kAudio, "rain"}, {Modality::kImage, "a lake"}};

TEST(ScoringRule, HasANameEach) {
  for (const std::string& name : scoring_rule_names()) {
    const auto rule = parse_scoring_rule(name);
    ASSERT_TRUE(rule);
    EXPECT_EQ(to_string(*rule), name);
  }
  EXPECT_EQ(scoring_rule_names().size(), 4U);
  EXPECT_EQ(parse_scoring_rule("Choice"), std::nullopt);
}

TEST(ScoringRule, ChoiceGoesByTheChoiceAlone) {
  EXPECT_TRUE(is_right(ScoringRule::kChoice, "Scene A", 1, 1, kShown));
  EXPECT_FALSE(is_right(ScoringRule::kChoice, "Scene B", std::nullopt, 1, kShown));
}

TEST(ScoringRule, ContainsTakesAnAnswerThatListsEveryScene) {
  for (const ScoringRule rule : {ScoringRule::kContains, ScoringRule::kPublished}) {
    EXPECT_TRUE(is_right(rule, "Scene A or Scene B", std::nullopt, 1, kShown));
    EXPECT_FALSE(is_right(rule, "scene b", 1, 1, kShown));
    EXPECT_FALSE(is_right(rule, "", 1, 1, kShown));
  }
}

TEST(ScoringRule, WordsAreGenerous) {
  const auto is_audio_right = [](std::string_view reply) {
    return is_right_by_words(reply, 0, Modality::kAudio);
  };
  EXPECT_TRUE(is_audio_right("A"));
  EXPECT_TRUE(is_audio_right("All of them"));     // the capital letter occurs
  EXPECT_TRUE(is_audio_right("the FIRST one"));   // its words do, in any case
  EXPECT_TRUE(is_audio_right("i hear a sound"));  // or its modality's
  EXPECT_TRUE(is_audio_right("udio"));            // or the reply in one of them
  EXPECT_TRUE(is_audio_right(""));                // "none" holds "one"
  EXPECT_FALSE(is_right_by_words("", 1, Modality::kAudio));
  EXPECT_FALSE(is_audio_right("scene b"));
  EXPECT_TRUE(is_right_by_words("the point cloud", 1, Modality::kPointCloud));
  EXPECT_TRUE(is_right_by_words("some frames", 3, Modality::kVideo));
  EXPECT_FALSE(is_right_by_words("some frames", 3, Modality::kImage));
}

std::vector<std::string> golden_replies() {
  const auto golden =
      io::parse_json(testing::read_gz(testing::shared_dir() /
                                      "goldens/evaluation/contains_rule.predictions.json.gz"),
                     "golden")
          .value();
  std::vector<std::string> replies;
  for (const io::JsonValue& row : *golden.find_array()) {
    replies.push_back(*row.find("pred_ans")->find_string());
  }
  return replies;
}

// Counts of the other rules were made by a script of their own over the same replies: one letter
// that stands alone or behind "scene".
TEST(ScoringRuleGolden, CountsTheGoldenReplies) {
  CONTRA4_REQUIRE_SHARED();
  const auto& items = released_test().items;
  const std::vector<std::string> replies = golden_replies();
  ASSERT_EQ(replies.size(), items.size());
  int unanswered = 0;
  int choice = 0;
  int contains = 0;
  int words = 0;
  for (std::size_t i = 0; i < items.size(); ++i) {
    const std::vector<SceneView> shown = scene_views(items[i]);
    const ParsedChoice parsed = parse_choice(replies[i], shown);
    const int gold = *items[i].answer;
    unanswered += parsed.index ? 0 : 1;
    choice += is_right(ScoringRule::kChoice, replies[i], parsed.index, gold, shown) ? 1 : 0;
    contains += is_right(ScoringRule::kContains, replies[i], parsed.index, gold, shown) ? 1 : 0;
    words += is_right(ScoringRule::kWords, replies[i], parsed.index, gold, shown) ? 1 : 0;
  }
  EXPECT_EQ(contains, 988);
  EXPECT_EQ(choice, 851);
  EXPECT_EQ(unanswered, 685);
  EXPECT_EQ(words, 1260);
}

}  // namespace
}  // namespace contra4::scoring
