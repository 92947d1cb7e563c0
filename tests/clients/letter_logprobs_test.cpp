#include "contra4/clients/letter_logprobs.h"

#include <cmath>

#include <gtest/gtest.h>

#include "tests/clients/protocol_support.h"

namespace contra4::clients {
namespace {

using testing::json;

const std::vector<std::string> kLetters = {"A", "B"};

TEST(LetterLogprobs, ReadsChatCompletions) {
  const auto root = json(R"({"content": [{"token": "B", "logprob": -0.1, "bytes": [66],
      "top_logprobs": [{"token": "B", "logprob": -0.1}, {"token": " A", "logprob": -2.5}]}]})");
  const auto first = parse_first_token(&root);
  ASSERT_TRUE(first);
  const auto scores = letter_logprobs(*first, kLetters);
  ASSERT_EQ(scores.size(), 2U);
  EXPECT_DOUBLE_EQ(scores[0], -2.5);
  EXPECT_DOUBLE_EQ(scores[1], -0.1);  // once, though it stands twice
}

TEST(LetterLogprobs, ReadsCompletionsOfOpenAiAndLlamaCpp) {
  const auto map = json(R"({"tokens": [" B"], "top_logprobs": [{" A": -3, " B": -0.5}]})");
  EXPECT_DOUBLE_EQ(letter_logprobs(*parse_first_token(&map), kLetters)[1], -0.5);
  const auto list = json(R"({"content": [{"token": " A", "logprob": -1, "top_logprobs": []}]})");
  EXPECT_DOUBLE_EQ(letter_logprobs(*parse_first_token(&list), kLetters)[0], -1);
}

TEST(LetterLogprobs, ReadsGemini) {
  const auto root = json(R"({"topCandidates": [{"candidates": [
      {"token": "A", "tokenId": 1, "logProbability": -0.2}]}], "chosenCandidates": []})");
  EXPECT_DOUBLE_EQ(letter_logprobs(*parse_first_token(&root), kLetters)[0], -0.2);
}

TEST(LetterLogprobs, SumsTheSpellingsOfALetter) {
  const std::vector<TokenLogprob> tokens = {{"A", std::log(0.2)},
                                            {" A", std::log(0.1)},
                                            {"(A", std::log(0.05)},
                                            {"A.", std::log(0.05)},
                                            {"\xe2\x96\x81"
                                             "A",
                                             std::log(0.1)},
                                            {"**A", std::log(0.1)},
                                            {" B", std::log(0.3)}};
  const auto scores = letter_logprobs(tokens, kLetters);
  EXPECT_NEAR(scores[0], std::log(0.6), 1e-12);
  EXPECT_NEAR(scores[1], std::log(0.3), 1e-12);
}

TEST(LetterLogprobs, DoesNotTakeWordsForLetters) {
  const std::vector<TokenLogprob> tokens = {{"a", -0.1}, {"An", -0.2}, {"AB", -0.3}, {"B", -4}};
  const auto scores = letter_logprobs(tokens, kLetters);
  EXPECT_EQ(scores[0], kUnlistedLogprob);
  EXPECT_EQ(scores[1], -4);
}

TEST(LetterLogprobs, IsEmptyWithoutAnyLetter) {
  const std::vector<TokenLogprob> tokens = {{"<think>", -0.1}, {"", -1}, {" ", -2}};
  EXPECT_TRUE(letter_logprobs(tokens, kLetters).empty());
  EXPECT_TRUE(letter_logprobs({}, kLetters).empty());
}

TEST(LetterLogprobs, TellsAServerThatGivesNone) {
  EXPECT_FALSE(parse_first_token(nullptr));
  for (const char* text : {"null", "{}", R"({"content": []})", R"({"content": null})", "[]", "3",
                           R"({"content": [{"token": 3, "logprob": "x"}]})",
                           R"({"top_logprobs": [null]})", R"({"topCandidates": [{}]})"}) {
    const auto root = json(text);
    EXPECT_FALSE(parse_first_token(&root)) << text;
  }
}

}  // namespace
}  // namespace contra4::clients
