// What OneLLM is asked in words, and what its words are taken for.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "contra4/text/sentence_piece.h"

namespace contra4::models::onellm {

// The conversation of the published evaluation around a question.
// Source: csuhan/OneLLM 8587a47, data/conversation_lib.py (v1), and artemisp/contra4-fork 8492529,
// onellm.py.
inline constexpr std::string_view kPublishedTemplate =
    "A chat between a curious human and an artificial intelligence assistant. The assistant gives "
    "helpful, detailed, and polite answers to the human's questions.\n\n###Human: {question} "
    "Choose from: {choices}\n###Assistant:";

// Throws kInvalidArgument unless {question} stands in it once and {choices} once at most.
void check_template(std::string_view prompt_template);

// "Scene A, Scene B" for 2.
std::string choices_text(std::size_t num_scenes);

struct Prompt {
  std::string text;
  std::vector<std::int64_t> ids;  // the begin token first
};

struct PromptOptions {
  std::string prompt_template = std::string(kPublishedTemplate);
  std::int64_t max_tokens = 0;  // with the begin token; 0: no bound
};

// Where a prompt has more tokens than allowed, words are taken from the end of the question, so
// that choices and the turn of the assistant stay. May still be too long when the rest alone is.
Prompt make_prompt(const text::SentencePiece& tokenizer, std::string_view question,
                   std::size_t num_scenes, const PromptOptions& options);

// What of the text belongs to the generated tokens: they are decoded behind the prompt's, whose
// characters are taken off, so that a leading space stays. An end token ends it.
std::string decode_after(const text::SentencePiece& tokenizer, const Prompt& prompt,
                         std::span<const std::int64_t> generated);

// The reply without the conversation's marks: what stands before the first "###", without
// "Assistant:" and outer white space. With five tokens the separator is half there ("Scene A\n##");
// `is_compat` leaves that part as published.
std::string strip_reply(std::string_view text, bool is_compat);

}  // namespace contra4::models::onellm
