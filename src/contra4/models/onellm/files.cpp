#include "contra4/models/onellm/files.h"

#include <fmt/format.h>

#include "contra4/base/error.h"

namespace contra4::models::onellm {

namespace {

namespace fs = std::filesystem;

fs::path folder_of(const fs::path& checkpoint) {
  return fs::is_directory(checkpoint) ? checkpoint : checkpoint.parent_path();
}

}  // namespace

LlamaConfig find_config(const fs::path& checkpoint, const fs::path& config) {
  if (!config.empty()) return read_llama_params(config);
  const fs::path beside = folder_of(checkpoint) / "params.json";
  if (fs::exists(beside)) return read_llama_params(beside);
  return {};  // LLaMA-2 7B
}

fs::path find_tokenizer(const fs::path& checkpoint, const fs::path& tokenizer) {
  if (!tokenizer.empty()) return tokenizer;
  fs::path beside = folder_of(checkpoint) / "tokenizer.model";
  if (!fs::exists(beside)) {
    throw Exception(ErrorCode::kNotFound,
                    fmt::format("{} is not there; lay LLaMA-2's tokenizer.model beside the "
                                "checkpoint or name it with --tokenizer",
                                beside.string()));
  }
  return beside;
}

void check_tokenizer(const text::SentencePiece& tokenizer, std::int64_t vocabulary_size) {
  if (tokenizer.vocabulary_size() <= vocabulary_size && tokenizer.bos_id() >= 0) return;
  throw Exception(ErrorCode::kInvalidArgument,
                  fmt::format("a tokenizer of {} pieces for a model of {}; name the right "
                              "tokenizer.model",
                              tokenizer.vocabulary_size(), vocabulary_size));
}

}  // namespace contra4::models::onellm
