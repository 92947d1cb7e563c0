#include "contra4/models/language/llama_config.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

namespace contra4::models {

namespace {

// Far above any LLaMA; keeps products of two sizes within 64 bits.
constexpr std::int64_t kMaxSize = 1 << 24;

Error wrong(std::string_view what, std::string_view key, std::string_view reason) {
  return {ErrorCode::kInvalidArgument, fmt::format("{}: {} {}", what, key, reason)};
}

}  // namespace

std::int64_t gated_width(std::int64_t width, std::int64_t multiple_of) {
  const std::int64_t two_thirds = 2 * (4 * width) / 3;
  return (two_thirds + multiple_of - 1) / multiple_of * multiple_of;
}

Result<LlamaConfig> parse_llama_params(const io::JsonValue& json, std::string_view what) {
  if (!json.is_object()) return wrong(what, "the configuration", "is no JSON object");
  LlamaConfig config;
  std::int64_t multiple_of = 256;
  struct Row {
    const char* key;
    std::int64_t* size;
    bool is_required;
  };
  for (const Row& row :
       {Row{"dim", &config.width, true}, Row{"n_layers", &config.num_layers, true},
        Row{"n_heads", &config.num_heads, true}, Row{"multiple_of", &multiple_of, false}}) {
    const io::JsonValue* value = json.find(row.key);
    if (value == nullptr && !row.is_required) continue;
    if (value == nullptr) return wrong(what, row.key, "is missing");
    const auto size = value->find_integer();
    if (!size || *size < 1 || *size > kMaxSize) {
      return wrong(what, row.key, fmt::format("is no size of 1 to {}", kMaxSize));
    }
    *row.size = *size;
  }
  if (config.width % (2 * config.num_heads) != 0) {
    return wrong(what, "dim",
                 fmt::format("{} does not give each of n_heads {} an even width", config.width,
                             config.num_heads));
  }
  if (const io::JsonValue* heads = json.find("n_kv_heads");
      heads != nullptr && heads->find_integer() && *heads->find_integer() != config.num_heads) {
    return wrong(what, "n_kv_heads", "differs from n_heads: grouped attention is not known here");
  }
  if (const io::JsonValue* eps = json.find("norm_eps"); eps != nullptr) {
    const auto number = eps->find_number();
    if (!number || !(*number > 0) || *number > 1) {
      return wrong(what, "norm_eps", "is no number above 0 and up to 1");
    }
    config.norm_eps = *number;
  }
  if (const io::JsonValue* size = json.find("vocab_size"); size != nullptr) {
    const auto number = size->find_integer();
    if (!number || *number > kMaxSize) return wrong(what, "vocab_size", "is no size");
    config.vocabulary_size = std::max<std::int64_t>(0, *number);
  }
  config.feed_forward_width = gated_width(config.width, multiple_of);
  return config;
}

LlamaConfig read_llama_params(const std::filesystem::path& path) {
  return parse_llama_params(io::read_json_file(path), path.string()).value();
}

}  // namespace contra4::models
