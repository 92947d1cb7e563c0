// all-MiniLM-L6-v2: a BERT encoder whose vectors are averaged over a text and brought to norm 1.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "contra4/inference/embedder.h"
#include "contra4/inference/torch_module.h"
#include "contra4/models/bert_encoder.h"
#include "contra4/models/length_batches.h"
#include "contra4/text/wordpiece.h"

namespace contra4::models {

// Batches are computed side by side, one thread each: on a few cores that beats one product spread
// over all of them. A text's vector depends on which texts share its batch, by rounding only
// (differences of some 1e-7: a product of another height may add in another order); it does not
// depend on the number of threads, nor on the order of the batches.
// Source: sentence-transformers/all-MiniLM-L6-v2, modules.json: Transformer (256 tokens), mean
// Pooling, Normalize.
class MiniLm : public Embedder {
 public:
  // Throws kNotFound, kDataLoss, kInvalidArgument with the file and tensor or key at fault.
  explicit MiniLm(const EmbedderOptions& options);

  Embeddings embed(std::span<const std::string> texts) override;
  // Hashes the weights: some 0.1 s.
  std::string description_json() const override;

 private:
  using Tokens = std::vector<std::int32_t>;
  void compute(const std::vector<Tokens>& sequences, const std::vector<LengthBatch>& batches,
               std::vector<float>& rows) const;
  void compute_batch(const std::vector<Tokens>& sequences, const LengthBatch& batch,
                     std::vector<float>& rows) const;

  std::filesystem::path folder_;
  int num_threads_;
  text::WordPiece tokenizer_;
  BertEncoder encoder_;
};

}  // namespace contra4::models
