#include "contra4/models/onellm/prompt.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "contra4/base/error.h"
#include "tests/support/error_of.h"
#include "tests/support/test_env.h"
#include "tests/support/toy_sentence_piece.h"

namespace contra4::models::onellm {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::StartsWith;

class OneLlmPromptTest : public ::testing::Test {
 protected:
  void SetUp() override {
    testing::write_toy_sentence_piece(folder_ / "tokenizer.model");
    tokenizer_ = std::make_unique<text::SentencePiece>(folder_ / "tokenizer.model");
  }
  Prompt prompt(std::string_view question, std::int64_t max_tokens = 0) const {
    return make_prompt(*tokenizer_, question, 2, {.max_tokens = max_tokens});
  }
  testing::TempDir folder_;
  std::unique_ptr<text::SentencePiece> tokenizer_;
};

TEST_F(OneLlmPromptTest, PutsQuestionAndChoicesIntoTheConversation) {
  const Prompt made = prompt("Which is louder?");
  EXPECT_THAT(made.text, StartsWith("A chat between a curious human"));
  EXPECT_THAT(made.text, EndsWith("questions.\n\n###Human: Which is louder? Choose from: Scene A, "
                                  "Scene B\n###Assistant:"));
  EXPECT_EQ(made.ids.front(), tokenizer_->bos_id());
  EXPECT_EQ(tokenizer_->decode(made.ids), made.text);
}

TEST_F(OneLlmPromptTest, AQuestionThatLooksLikeAPlaceholderStays) {
  EXPECT_THAT(prompt("a {choices} b {question}").text,
              HasSubstr("###Human: a {choices} b {question} Choose from: Scene A, Scene B\n"));
}

TEST_F(OneLlmPromptTest, TheBudgetTakesWordsOffTheQuestionOnly) {
  const std::int64_t whole = std::ssize(prompt("one two  three").ids);
  const Prompt shorter = prompt("one two  three", whole - 1);
  EXPECT_THAT(shorter.text, HasSubstr("###Human: one two Choose from"));
  EXPECT_LE(std::ssize(shorter.ids), whole - 1);
  EXPECT_THAT(prompt("one two three", 10).text, HasSubstr("###Human:  Choose from"));
  // A single word loses whole characters.
  const std::int64_t of_word = std::ssize(prompt("zzé").ids);
  EXPECT_THAT(prompt("zzé", of_word - 1).text, HasSubstr("###Human: zz Choose"));
}

TEST_F(OneLlmPromptTest, TakesTemplatesOfOthers) {
  const Prompt made =
      make_prompt(*tokenizer_, "Q?", 3, {.prompt_template = "{choices} | {question}"});
  EXPECT_EQ(made.text, "Scene A, Scene B, Scene C | Q?");
  for (const char* bad : {"no question", "{question} {question}", "{question}{choices}{choices}"}) {
    EXPECT_EQ(testing::error_of([&] { check_template(bad); }).code, ErrorCode::kInvalidArgument)
        << bad;
  }
  check_template("{question}");
}

TEST_F(OneLlmPromptTest, DecodesWhatFollowsThePromptWithItsSpace) {
  const Prompt made = prompt("Q?");
  const auto generated = tokenizer_->encode("Scene A");
  EXPECT_EQ(decode_after(*tokenizer_, made, generated), " Scene A");
  std::vector<std::int64_t> ended = generated;
  ended.push_back(tokenizer_->eos_id());
  ended.push_back(generated[0]);
  EXPECT_EQ(decode_after(*tokenizer_, made, ended), " Scene A");
  EXPECT_EQ(decode_after(*tokenizer_, made, {}), "");
  // Not valid UTF-8: comes back as other bytes, of as many characters.
  EXPECT_EQ(decode_after(*tokenizer_, prompt("Q\xff?"), generated), " Scene A");
}

TEST(OneLlmReply, CompatLeavesHalfASeparator) {
  EXPECT_EQ(strip_reply(" Scene A\n##", true), "Scene A\n##");
  EXPECT_EQ(strip_reply(" Scene A\n##", false), "Scene A");
  EXPECT_EQ(strip_reply(" Scene A\n#", false), "Scene A");
  EXPECT_EQ(strip_reply(" Scene A\n", true), "Scene A");
}

TEST(OneLlmReply, IsWhatStandsBeforeTheSeparator) {
  EXPECT_EQ(strip_reply("Assistant: Scene B\n###Human: no", true), "Scene B");
  EXPECT_EQ(strip_reply("A##B Assistant:Assistant: c ", false), "A##B  c");
  EXPECT_EQ(strip_reply("### Scene A", false), "");
  EXPECT_EQ(strip_reply(" \n", false), "");
}

}  // namespace
}  // namespace contra4::models::onellm
