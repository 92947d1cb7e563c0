// The encoder of BERT: token numbers to one vector per token.
#pragma once

#include <cstdint>
#include <vector>

#include <ATen/core/Tensor.h>

#include "contra4/models/bert_config.h"
#include "contra4/nn/encoder_block.h"
#include "contra4/nn/layer_norm.h"
#include "contra4/nn/sequences.h"
#include "contra4/tensor/checkpoint.h"

namespace contra4::models {

// Immutable: any number of threads may call forward().
class BertEncoder {
 public:
  // Throws as Checkpoint::get_float32.
  BertEncoder(const tensor::Checkpoint& checkpoint, const BertConfig& config);

  // Every token sees all of its own sequence; all are of token type 0.
  //   token_ids  [num_rows(groups)] below vocabulary_size; no sequence above max_positions
  //   returns    [num_rows(groups), width] float32
  at::Tensor forward(const std::vector<std::int64_t>& token_ids,
                     const nn::SequenceGroups& groups) const;

  const BertConfig& config() const { return config_; }

 private:
  at::Tensor embed_tokens(const std::vector<std::int64_t>& token_ids,
                          const nn::SequenceGroups& groups) const;

  BertConfig config_;
  at::Tensor words_;      // [vocabulary_size, width]
  at::Tensor positions_;  // [max_positions, width], the vector of token type 0 added
  nn::LayerNorm norm_;
  std::vector<nn::EncoderBlock> blocks_;
};

}  // namespace contra4::models
