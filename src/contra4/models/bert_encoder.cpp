#include "contra4/models/bert_encoder.h"

#include <ATen/ops/index_select.h>
#include <ATen/ops/tensor.h>
#include <fmt/format.h>

#include "contra4/base/error.h"

namespace contra4::models {

BertEncoder::BertEncoder(const tensor::Checkpoint& checkpoint, const BertConfig& config)
    : config_(config) {
  const std::int64_t width = config.width;
  words_ =
      checkpoint.get_float32("embeddings.word_embeddings.weight", {config.vocabulary_size, width});
  const at::Tensor positions = checkpoint.get_float32("embeddings.position_embeddings.weight",
                                                      {config.max_positions, width});
  const at::Tensor types = checkpoint.get_float32("embeddings.token_type_embeddings.weight",
                                                  {config.num_token_types, width});
  positions_ = positions.add(types.select(0, 0));
  norm_ = nn::load_layer_norm(checkpoint, "embeddings.LayerNorm",
                              {.width = width, .eps = config.layer_norm_eps});
  const nn::EncoderBlockShape shape{.width = width,
                                    .num_heads = config.num_heads,
                                    .feed_forward_width = config.feed_forward_width,
                                    .layer_norm_eps = config.layer_norm_eps,
                                    .activation = config.activation};
  for (std::int64_t layer = 0; layer < config.num_layers; ++layer) {
    blocks_.emplace_back(checkpoint, fmt::format("encoder.layer.{}", layer), shape);
  }
}

at::Tensor BertEncoder::forward(const std::vector<std::int64_t>& token_ids,
                                const nn::SequenceGroups& groups) const {
  at::Tensor x = embed_tokens(token_ids, groups);
  for (const nn::EncoderBlock& block : blocks_) x = block.forward(x, groups);
  return x;
}

at::Tensor BertEncoder::embed_tokens(const std::vector<std::int64_t>& token_ids,
                                     const nn::SequenceGroups& groups) const {
  CONTRA4_CHECK(std::ssize(token_ids) == nn::num_rows(groups), "one token a row");
  const at::Tensor ids = at::tensor(token_ids, at::kLong);
  at::Tensor x = words_.index_select(0, ids);
  std::int64_t first_row = 0;
  for (const nn::SequenceGroup& group : groups) {
    x.narrow(0, first_row, group.num_rows())
        .view({group.count, group.length, config_.width})
        .add_(positions_.narrow(0, 0, group.length));
    first_row += group.num_rows();
  }
  return norm_(x);
}

}  // namespace contra4::models
