#include "contra4/scoring/bm25.h"

#include <cmath>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace contra4::scoring {
namespace {

using ::testing::DoubleNear;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

std::vector<double> scores(std::string_view query, const std::vector<std::string_view>& documents) {
  return bm25_scores(query, documents);
}

TEST(Bm25, WordsAreLoweredAndBare) {
  EXPECT_THAT(lexical_words("Which scene has the DOGS barking, in rain-coats?"),
              ElementsAre("dog", "barking", "rain", "coat"));
  EXPECT_THAT(lexical_words("glass gas Ümlaut 3D"), ElementsAre("glass", "gas", "Ümlaut", "3d"));
  EXPECT_THAT(lexical_words("Which of this was there?"), IsEmpty());
  EXPECT_THAT(lexical_words(""), IsEmpty());
  EXPECT_THAT(lexical_words(" .,;\n"), IsEmpty());
}

TEST(Bm25, OneCommonWordScoresByTheFormula) {
  // N = 2, n = 1, both two words long: idf = ln 2, and the frequency term is 1.
  EXPECT_THAT(scores("a dog?", {"dog runs", "cat sleeps"}),
              ElementsAre(DoubleNear(std::log(2.0), 1e-12), 0));
}

TEST(Bm25, RareWordsCountMoreThanCommonOnes) {
  const auto result = scores("red car", {"red house", "red car", "red tree"});
  EXPECT_GT(result[1], result[0]);
  EXPECT_DOUBLE_EQ(result[0], result[2]);
}

TEST(Bm25, LongCaptionsAreHeldAgainst) {
  const auto result =
      scores("dog", {"dog", "dog between many other things that nobody wants named here"});
  EXPECT_GT(result[0], result[1]);
}

TEST(Bm25, WordsOfTheQuestionCountOnce) {
  EXPECT_EQ(scores("dog dog dogs", {"dog", "cat"}), scores("dog", {"dog", "cat"}));
}

TEST(Bm25, NothingInCommonIsZero) {
  EXPECT_THAT(scores("loudest", {"a cat", "a dog"}), Each(0));
  EXPECT_THAT(scores("", {"a cat", ""}), Each(0));
  EXPECT_THAT(scores("cat", {"", "the"}), Each(0));
  EXPECT_THAT(scores("cat", {}), IsEmpty());
}

TEST(Bm25, OrderHasNoInfluence) {
  const std::vector<double> one = scores("red car rain", {"red house", "car in rain", "tree"});
  const std::vector<double> other = scores("red car rain", {"tree", "red house", "car in rain"});
  EXPECT_EQ(other, (std::vector<double>{one[2], one[0], one[1]}));
}

}  // namespace
}  // namespace contra4::scoring
