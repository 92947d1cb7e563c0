#include "contra4/models/language/llama_decoding.h"

#include <memory>
#include <numeric>
#include <vector>

#include <ATen/ops/allclose.h>
#include <ATen/ops/argmax.h>
#include <ATen/ops/cat.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "contra4/base/error.h"
#include "tests/support/error_of.h"
#include "tests/support/test_env.h"
#include "tests/support/toy_onellm.h"

namespace contra4::models {
namespace {

using Ids = std::vector<std::int64_t>;

constexpr std::int64_t kNewTokens = 5;

class LlamaDecodingTest : public ::testing::Test {
 protected:
  void SetUp() override {
    testing::write_toy_onellm(folder_.path());
    const tensor::Checkpoint checkpoint(folder_ / "model.safetensors");
    const std::vector<at::Device> devices = {at::kCPU};
    decoder_ =
        std::make_unique<LlamaDecoder>(checkpoint, read_llama_params(folder_ / "params.json"),
                                       meta_llama_names("llma."), devices, at::kFloat);
  }

  // A prompt of pieces of tokens; a piece is known by its first one.
  LlamaPrompt prompt(const std::vector<Ids>& pieces) const {
    LlamaPrompt made;
    for (const Ids& piece : pieces) {
      made.numbers.push_back(static_cast<std::size_t>(piece[0]));
      made.pieces.push_back(decoder_->embed(piece));
    }
    return made;
  }
  // Logits after each of the tokens, from the beginning and without a cache to speak of.
  at::Tensor last_logits(const Ids& tokens) const {
    LlamaPrompt whole = prompt({tokens});
    return LlamaDecoding(*decoder_, std::vector<LlamaPrompt>{whole}, 0)
        .prompt_logits()
        .select(0, 0);
  }
  // Greedy by computing everything anew for each token.
  Ids say_anew(Ids seen, std::int64_t count) const {
    Ids said;
    for (std::int64_t i = 0; i < count; ++i) {
      said.push_back(last_logits(seen).argmax().item<std::int64_t>());
      seen.push_back(said.back());
    }
    return said;
  }

  testing::TempDir folder_;
  std::unique_ptr<LlamaDecoder> decoder_;
};

// Of several lengths; the first two begin alike.
const std::vector<std::vector<Ids>> kPrompts = {
    {{300, 301, 302}, {310, 311}}, {{300, 301, 302}, {320}}, {{330, 331, 332, 333, 334, 335}}};

Ids joined(const std::vector<Ids>& pieces) {
  Ids all;
  for (const Ids& piece : pieces) all.insert(all.end(), piece.begin(), piece.end());
  return all;
}

TEST_F(LlamaDecodingTest, DecodingEqualsComputingAnew) {
  std::vector<LlamaPrompt> prompts;
  for (const auto& pieces : kPrompts) prompts.push_back(prompt(pieces));
  LlamaDecoding decoding(*decoder_, prompts, kNewTokens);
  const auto said = decode_greedily(decoding.prompt_logits(), decoding,
                                    {.max_new_tokens = kNewTokens, .end_id = std::nullopt});
  for (std::size_t i = 0; i < kPrompts.size(); ++i) {
    EXPECT_EQ(said[i], say_anew(joined(kPrompts[i]), kNewTokens)) << i;
  }
}

// What the published program does by mistake after the first token.
TEST_F(LlamaDecodingTest, ForgettingEqualsAShorterContext) {
  constexpr std::int64_t kKept = 2;
  std::vector<LlamaPrompt> prompts;
  for (const auto& pieces : kPrompts) prompts.push_back(prompt(pieces));
  LlamaDecoding decoding(*decoder_, prompts, kNewTokens);
  for (std::size_t i = 0; i < prompts.size(); ++i) decoding.forget(i, kKept);
  const auto said = decode_greedily(decoding.prompt_logits(), decoding,
                                    {.max_new_tokens = kNewTokens, .end_id = std::nullopt});
  for (std::size_t i = 0; i < kPrompts.size(); ++i) {
    Ids seen = joined(kPrompts[i]);
    const Ids first = say_anew(seen, 1);
    seen.resize(kKept);
    seen.push_back(first[0]);
    Ids expected = say_anew(seen, kNewTokens - 1);
    expected.insert(expected.begin(), first[0]);
    EXPECT_EQ(said[i], expected) << i;
  }
}

TEST_F(LlamaDecodingTest, SharedBeginningsAndNeighboursDoNotMatter) {
  std::vector<LlamaPrompt> prompts;
  for (const auto& pieces : kPrompts) prompts.push_back(prompt(pieces));
  const LlamaDecoding together(*decoder_, prompts, 0);
  for (std::size_t i = 0; i < prompts.size(); ++i) {
    EXPECT_TRUE(at::allclose(together.prompt_logits().select(0, static_cast<std::int64_t>(i)),
                             last_logits(joined(kPrompts[i])), 1e-4, 1e-5));
  }
}

TEST_F(LlamaDecodingTest, GivesTheLogitsBeforeEachOfTheLastTokens) {
  LlamaPrompt asked = prompt({{300, 301}, {310, 311, 312}});
  asked.num_logits = 3;
  const LlamaDecoding decoding(*decoder_, std::vector<LlamaPrompt>{asked}, 0);
  ASSERT_EQ(decoding.prompt_logits().size(0), 3);
  const Ids all = {300, 301, 310, 311, 312};
  for (std::int64_t i = 0; i < 3; ++i) {
    EXPECT_TRUE(at::allclose(decoding.prompt_logits().select(0, i),
                             last_logits(Ids(all.begin(), all.begin() + 3 + i)), 1e-4, 1e-5));
  }
}

TEST_F(LlamaDecodingTest, RefusesTokensThatAreNotInTheVocabulary) {
  EXPECT_THROW(decoder_->embed(Ids{decoder_->config().vocabulary_size}), Exception);
  EXPECT_THROW(decoder_->embed(Ids{-1}), Exception);
}

TEST_F(LlamaDecodingTest, NamesWhatACheckpointLacks) {
  LlamaConfig config = decoder_->config();
  config.num_layers = 3;
  const tensor::Checkpoint checkpoint(folder_ / "model.safetensors");
  const std::vector<at::Device> devices = {at::kCPU};
  const Error error = testing::error_of(
      [&] { LlamaDecoder(checkpoint, config, meta_llama_names("llma."), devices, at::kFloat); });
  EXPECT_EQ(error.code, ErrorCode::kNotFound);
  EXPECT_THAT(error.message, ::testing::HasSubstr("llma.layers.2."));
}

}  // namespace
}  // namespace contra4::models
