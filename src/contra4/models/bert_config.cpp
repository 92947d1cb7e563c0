#include "contra4/models/bert_config.h"

#include <array>
#include <string>

#include <fmt/format.h>

namespace contra4::models {

namespace {

// Far above any BERT; keeps products of two sizes within 64 bits.
constexpr std::int64_t kMaxSize = 1 << 24;

struct SizeRow {
  const char* key;
  std::int64_t BertConfig::*member;
};

constexpr std::array kSizes = {
    SizeRow{"vocab_size", &BertConfig::vocabulary_size},
    SizeRow{"hidden_size", &BertConfig::width},
    SizeRow{"num_hidden_layers", &BertConfig::num_layers},
    SizeRow{"num_attention_heads", &BertConfig::num_heads},
    SizeRow{"intermediate_size", &BertConfig::feed_forward_width},
    SizeRow{"max_position_embeddings", &BertConfig::max_positions},
    SizeRow{"type_vocab_size", &BertConfig::num_token_types},
};

Error wrong(std::string_view what, std::string_view key, std::string_view reason) {
  return {ErrorCode::kInvalidArgument, fmt::format("{}: {} {}", what, key, reason)};
}

// The text under `key`; `fallback` when there is none, "" when it is no text.
std::string text_of(const io::JsonValue& json, std::string_view key, std::string_view fallback) {
  const io::JsonValue* value = json.find(key);
  if (value == nullptr) return std::string(fallback);
  return value->is_string() ? *value->find_string() : std::string();
}

}  // namespace

Result<BertConfig> parse_bert_config(const io::JsonValue& json, std::string_view what) {
  if (!json.is_object()) return wrong(what, "the configuration", "is no JSON object");
  if (const std::string type = text_of(json, "model_type", ""); type != "bert") {
    return wrong(what, "model_type", fmt::format("is '{}', wanted 'bert'", type));
  }
  if (const std::string positions = text_of(json, "position_embedding_type", "absolute");
      positions != "absolute") {
    return wrong(what, "position_embedding_type",
                 fmt::format("is '{}', wanted 'absolute'", positions));
  }
  BertConfig config;
  for (const SizeRow& row : kSizes) {
    const io::JsonValue* value = json.find(row.key);
    if (value == nullptr) return wrong(what, row.key, "is missing");
    const auto size = value->find_integer();
    if (!size || *size < 1 || *size > kMaxSize) {
      return wrong(what, row.key, fmt::format("is no size of 1 to {}", kMaxSize));
    }
    config.*row.member = *size;
  }
  if (config.width % config.num_heads != 0) {
    return wrong(
        what, "hidden_size",
        fmt::format("{} is no multiple of num_attention_heads {}", config.width, config.num_heads));
  }
  const io::JsonValue* eps = json.find("layer_norm_eps");
  const auto eps_number = eps == nullptr ? std::nullopt : eps->find_number();
  if (!eps_number || !(*eps_number > 0) || *eps_number > 1) {
    return wrong(what, "layer_norm_eps", "is missing or no number above 0 and up to 1");
  }
  config.layer_norm_eps = *eps_number;
  const std::string activation = text_of(json, "hidden_act", "");
  const auto known = nn::find_activation(activation);
  if (!known) return wrong(what, "hidden_act", fmt::format("'{}' is not known", activation));
  config.activation = *known;
  return config;
}

BertConfig read_bert_config(const std::filesystem::path& path) {
  return parse_bert_config(io::read_json_file(path), path.string()).value();
}

}  // namespace contra4::models
