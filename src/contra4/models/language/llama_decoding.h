// Prompts of several lengths through a LLaMA decoder, and what follows them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include <ATen/core/Tensor.h>

#include "contra4/models/language/generation.h"
#include "contra4/models/language/llama_decoder.h"
#include "contra4/models/language/prefix_tree.h"

namespace contra4::models {

// A prompt in pieces. Equal numbers stand for equal rows: prompts that begin with the same pieces
// are computed together up to where they part.
struct LlamaPrompt {
  PieceNumbers numbers;
  std::vector<at::Tensor> pieces;  // [rows, width] each, on the decoder's first device
  std::int64_t num_logits = 1;     // of the last rows; no more than the last piece has

  std::int64_t num_rows() const;
};

class LlamaDecoding final : public Decoding {
 public:
  // Computes the prompts. `max_new_tokens` is how often feed() may be called; prompts and new
  // tokens together fit into the decoder's positions. `decoder` outlives this.
  LlamaDecoding(const LlamaDecoder& decoder, std::span<const LlamaPrompt> prompts,
                std::int64_t max_new_tokens);

  // [sum of num_logits, vocabulary_size] float32, prompt after prompt.
  const at::Tensor& prompt_logits() const { return logits_; }
  // A sequence goes on as if only its first `num_positions` had been seen.
  void forget(std::size_t prompt, std::int64_t num_positions);
  at::Tensor feed(std::span<const std::int64_t> token_of_sequence) override;

 private:
  void compute(std::span<const LlamaPrompt> prompts, std::int64_t max_new_tokens);

  const LlamaDecoder& decoder_;
  LlamaCache cache_;
  at::Tensor logits_;
  std::vector<std::size_t> prompts_;   // of each sequence of the cache
  std::vector<std::int64_t> lengths_;  // of each sequence of the cache
};

}  // namespace contra4::models
