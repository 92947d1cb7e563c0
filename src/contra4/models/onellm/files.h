// The files beside a OneLLM checkpoint.
#pragma once

#include <filesystem>

#include "contra4/models/language/llama_config.h"
#include "contra4/text/sentence_piece.h"

namespace contra4::models::onellm {

// What `config` names; else params.json beside the checkpoint, a folder or a file; else the sizes
// of LLaMA-2 7B. Throws as read_llama_params().
LlamaConfig find_config(const std::filesystem::path& checkpoint,
                        const std::filesystem::path& config);

// The file that `tokenizer` names, else tokenizer.model beside. Throws kNotFound, saying what to
// do.
std::filesystem::path find_tokenizer(const std::filesystem::path& checkpoint,
                                     const std::filesystem::path& tokenizer);

// Throws kInvalidArgument for a tokenizer that has more pieces than the model has rows, or no begin
// token.
void check_tokenizer(const text::SentencePiece& tokenizer, std::int64_t vocabulary_size);

}  // namespace contra4::models::onellm
