// Sizes of a BERT encoder, from the config.json of the transformers library.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string_view>

#include "contra4/base/error.h"
#include "contra4/io/json.h"
#include "contra4/nn/activation.h"

namespace contra4::models {

struct BertConfig {
  std::int64_t vocabulary_size = 0;
  std::int64_t width = 0;               // hidden_size
  std::int64_t num_layers = 0;          // num_hidden_layers
  std::int64_t num_heads = 1;           // num_attention_heads; divides width
  std::int64_t feed_forward_width = 0;  // intermediate_size
  std::int64_t max_positions = 0;       // max_position_embeddings
  std::int64_t num_token_types = 0;     // type_vocab_size
  double layer_norm_eps = 1e-12;
  nn::Activation activation = nn::Activation::kGelu;
};

// Every size must be there, be positive and fit the others; model_type must be "bert", positions
// absolute, hidden_act one of nn::find_activation. Keys that do not change what the encoder
// computes are passed over. kInvalidArgument with `what` and the key.
Result<BertConfig> parse_bert_config(const io::JsonValue& json, std::string_view what);
// Throws kNotFound, kDataLoss, kInvalidArgument.
BertConfig read_bert_config(const std::filesystem::path& path);

}  // namespace contra4::models
