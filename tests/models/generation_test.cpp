#include "contra4/models/language/generation.h"

#include <cmath>
#include <vector>

#include <ATen/ops/cat.h>
#include <ATen/ops/full.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "contra4/base/error.h"

namespace contra4::models {
namespace {

using ::testing::ElementsAre;
using Ids = std::vector<std::int64_t>;

constexpr std::int64_t kVocabulary = 6;

at::Tensor logits_for(const Ids& best) {
  at::Tensor logits = at::zeros({std::ssize(best), kVocabulary});
  for (std::int64_t i = 0; i < std::ssize(best); ++i) {
    logits.select(0, i).select(0, best[static_cast<std::size_t>(i)]).fill_(1);
  }
  return logits;
}

// Says the number after the one it was fed; remembers what that was.
class Counter : public Decoding {
 public:
  at::Tensor feed(std::span<const std::int64_t> tokens) override {
    fed.emplace_back(tokens.begin(), tokens.end());
    Ids next;
    for (const std::int64_t token : tokens) next.push_back((token + 1) % kVocabulary);
    return logits_for(next);
  }
  std::vector<Ids> fed;
};

TEST(Generation, GreedyFeedsBackWhatItSaid) {
  Counter counter;
  const auto said =
      decode_greedily(logits_for({0, 2}), counter, {.max_new_tokens = 3, .end_id = std::nullopt});
  EXPECT_THAT(said, ElementsAre(Ids{0, 1, 2}, Ids{2, 3, 4}));
  EXPECT_THAT(counter.fed, ElementsAre(Ids{0, 2}, Ids{1, 3}));  // not a step more than needed
}

TEST(Generation, TheEndTokenEndsItsOwnSequenceOnly) {
  Counter counter;
  const auto said =
      decode_greedily(logits_for({3, 0}), counter, {.max_new_tokens = 9, .end_id = 4});
  EXPECT_THAT(said, ElementsAre(Ids{3, 4}, Ids{0, 1, 2, 3, 4}));
  EXPECT_EQ(counter.fed.size(), 4U);
}

TEST(Generation, OfEqualTokensTheLowestIsSaid) {
  Counter counter;
  const auto said = decode_greedily(at::zeros({1, kVocabulary}), counter,
                                    {.max_new_tokens = 1, .end_id = std::nullopt});
  EXPECT_THAT(said, ElementsAre(Ids{0}));
}

TEST(Generation, ContinuationsThatDifferAtTheEndShareAStem) {
  const std::vector<Ids> names = {{7, 8, 1}, {7, 8, 2}, {9}, {7, 8, 3}};
  const std::vector<Stem> stems = plan_stems(names);
  ASSERT_EQ(stems.size(), 2U);
  EXPECT_THAT(stems[0].tokens, ElementsAre(7, 8));
  ASSERT_EQ(stems[0].ends.size(), 3U);
  EXPECT_EQ(stems[0].ends[2].continuation, 3U);
  EXPECT_EQ(stems[0].ends[2].token, 3);
  EXPECT_TRUE(stems[1].tokens.empty());
}

TEST(Generation, ScoresOfSeveralQuestionsAreThoseOfEach) {
  const std::vector<Ids> names = {{1, 0}, {1, 2}, {2}};
  const at::Tensor logits =
      at::tensor({0.0F, 1.0F, 2.0F, 3.0F, 0.5F, -1.0F, 0.3F, 0.2F, 0.1F}).view({3, 3});
  std::vector<AskedStem> stems;
  for (std::size_t question = 0; question < 2; ++question) {
    for (Stem& stem : plan_stems(names)) {
      stems.push_back({.question = question, .stem = std::move(stem)});
    }
  }
  const auto scores = continuation_scores(at::cat({logits, logits.neg()}), stems, 2);
  ASSERT_EQ(scores.size(), 2U);
  const Stem stem = plan_stems(names)[0];
  const auto first = stem_log_probabilities(logits.narrow(0, 0, 2), stem);
  const auto second = stem_log_probabilities(logits.neg().narrow(0, 0, 2), stem);
  const auto single = stem_log_probabilities(logits.neg().narrow(0, 2, 1), plan_stems(names)[1]);
  EXPECT_THAT(scores[0], ::testing::SizeIs(3));
  EXPECT_EQ(scores[0][1], first[1]);
  EXPECT_EQ(scores[1][0], second[0]);
  EXPECT_EQ(scores[1][2], single[0]);
}

TEST(Generation, LogProbabilitiesAddUpOverTheTokens) {
  const at::Tensor logits = at::tensor({0.0F, 1.0F, 2.0F, 3.0F, 0.5F, -1.0F}).view({2, 3});
  const Stem stem = plan_stems(std::vector<Ids>{{1, 0}, {1, 2}})[0];
  const double first = 1 - std::log(std::exp(0) + std::exp(1) + std::exp(2));
  const double sum = std::log(std::exp(3) + std::exp(0.5) + std::exp(-1));
  const auto found = stem_log_probabilities(logits, stem);
  ASSERT_EQ(found.size(), 2U);
  EXPECT_NEAR(found[0], first + 3 - sum, 1e-6);
  EXPECT_NEAR(found[1], first - 1 - sum, 1e-6);
}

TEST(Generation, TheBestPerTokenIsMostLikely) {
  const std::vector<Ids> names = {{1, 2}, {1, 3}, {1, 2, 3, 4}};
  EXPECT_EQ(most_likely(std::vector<double>{-2, -1, -1.6}, names), 2U);
  EXPECT_EQ(most_likely(std::vector<double>{-2, -2, -4}, names), 0U);  // equal: the first
  EXPECT_THROW(most_likely(std::vector<double>{-2}, names), Exception);
}

}  // namespace
}  // namespace contra4::models
