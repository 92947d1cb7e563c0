#include "contra4/models/minilm.h"

#include <algorithm>
#include <atomic>
#include <cstring>
#include <exception>
#include <mutex>
#include <string_view>
#include <thread>
#include <unordered_map>
#include <utility>

#include <ATen/ops/cat.h>
#include <ATen/ops/linalg_vector_norm.h>
#include <c10/core/InferenceMode.h>
#include <c10/util/Exception.h>
#include <fmt/format.h>

#include "contra4/base/error.h"
#include "contra4/base/hash.h"
#include "contra4/io/json_writer.h"
#include "contra4/tensor/thread_count.h"

namespace contra4::models {

namespace {

constexpr std::size_t kMaxTokens = 256;  // special ones included: max_seq_length of the model
// Tokens computed together. The activations of so many fit a second-level cache or nearly so, and
// more does not make the products faster.
constexpr std::size_t kRowsPerBatch = 512;
constexpr double kSmallestNorm = 1e-12;

constexpr char kWeights[] = "model.safetensors";
constexpr char kVocabulary[] = "vocab.txt";

BertEncoder load_encoder(const std::filesystem::path& folder) {
  const BertConfig config = read_bert_config(folder / "config.json");
  if (config.max_positions < static_cast<std::int64_t>(kMaxTokens)) {
    throw Exception(
        ErrorCode::kInvalidArgument,
        fmt::format("{}: max_position_embeddings is {}, wanted {} or more",
                    (folder / "config.json").string(), config.max_positions, kMaxTokens));
  }
  const c10::InferenceMode no_gradients;
  return {tensor::Checkpoint(folder / kWeights), config};
}

// Mean of each sequence's rows, divided by its norm: [num_rows, width] -> [num_sequences, width].
at::Tensor pool(const at::Tensor& x, const nn::SequenceGroups& groups) {
  std::vector<at::Tensor> means;
  std::int64_t first_row = 0;
  for (const nn::SequenceGroup& group : groups) {
    means.push_back(x.narrow(0, first_row, group.num_rows())
                        .view({group.count, group.length, x.size(1)})
                        .mean(1));
    first_row += group.num_rows();
  }
  const at::Tensor mean = at::cat(means, 0);
  return mean.div(at::linalg_vector_norm(mean, 2, {1}, /*keepdim=*/true).clamp_min(kSmallestNorm));
}

// Texts with the same tokens have the same vector.
struct DistinctSequences {
  std::vector<std::vector<std::int32_t>> sequences;
  std::vector<std::size_t> of_text;  // index into sequences
};

DistinctSequences tokenize(const text::WordPiece& tokenizer, std::span<const std::string> texts) {
  DistinctSequences distinct;
  distinct.of_text.reserve(texts.size());
  std::unordered_map<std::string_view, std::size_t> by_text;
  std::unordered_map<std::string, std::size_t> by_tokens;
  for (const std::string& text : texts) {
    const auto [known, is_new_text] = by_text.try_emplace(text, 0);
    if (is_new_text) {
      auto tokens = tokenizer.encode(text, kMaxTokens);
      std::string key(tokens.size() * sizeof(std::int32_t), '\0');
      std::memcpy(key.data(), tokens.data(), key.size());
      const auto [place, is_new] = by_tokens.try_emplace(std::move(key), distinct.sequences.size());
      if (is_new) distinct.sequences.push_back(std::move(tokens));
      known->second = place->second;
    }
    distinct.of_text.push_back(known->second);
  }
  return distinct;
}

}  // namespace

MiniLm::MiniLm(const EmbedderOptions& options)
    : folder_(options.folder),
      num_threads_(tensor::resolve_num_threads(options.num_threads)),
      tokenizer_(text::WordPiece::from_file(folder_ / kVocabulary)),
      encoder_(load_encoder(folder_)) {
  const auto num_tokens = static_cast<std::int64_t>(tokenizer_.vocabulary_size());
  if (num_tokens != encoder_.config().vocabulary_size) {
    throw Exception(ErrorCode::kDataLoss,
                    fmt::format("{}: {} entries, vocab_size of config.json is {}",
                                (folder_ / kVocabulary).string(), num_tokens,
                                encoder_.config().vocabulary_size));
  }
}

Embeddings MiniLm::embed(std::span<const std::string> texts) {
  const DistinctSequences distinct = tokenize(tokenizer_, texts);
  std::vector<std::size_t> lengths;
  lengths.reserve(distinct.sequences.size());
  for (const Tokens& sequence : distinct.sequences) lengths.push_back(sequence.size());

  const auto width = static_cast<std::size_t>(encoder_.config().width);
  std::vector<float> rows(distinct.sequences.size() * width);
  try {
    compute(distinct.sequences, plan_length_batches(lengths, kRowsPerBatch), rows);
  } catch (const c10::Error& error) {
    throw Exception(ErrorCode::kInternal,
                    fmt::format("[minilm] {}", error.what_without_backtrace()));
  }
  Embeddings embeddings{.dimension = width, .values = {}};
  if (distinct.sequences.size() == texts.size()) {
    embeddings.values = std::move(rows);  // all differ: already in their order
    return embeddings;
  }
  embeddings.values.reserve(texts.size() * width);
  for (const std::size_t index : distinct.of_text) {
    const auto row = rows.begin() + static_cast<std::ptrdiff_t>(index * width);
    embeddings.values.insert(embeddings.values.end(), row,
                             row + static_cast<std::ptrdiff_t>(width));
  }
  return embeddings;
}

void MiniLm::compute(const std::vector<Tokens>& sequences, const std::vector<LengthBatch>& batches,
                     std::vector<float>& rows) const {
  std::atomic<std::size_t> next_batch = 0;
  std::mutex mutex;
  std::exception_ptr failure;
  const auto work = [&] {
    const c10::InferenceMode no_gradients;
    const tensor::OpThreads one_thread(1);
    for (std::size_t i = next_batch++; i < batches.size(); i = next_batch++) {
      try {
        compute_batch(sequences, batches[i], rows);
      } catch (...) {
        const std::lock_guard lock(mutex);
        if (!failure) failure = std::current_exception();
        next_batch = batches.size();
      }
    }
  };
  const std::size_t num_workers = std::min(static_cast<std::size_t>(num_threads_), batches.size());
  {
    std::vector<std::jthread> others;
    for (std::size_t i = 1; i < num_workers; ++i) others.emplace_back(work);
    work();
  }
  if (failure) std::rethrow_exception(failure);
}

void MiniLm::compute_batch(const std::vector<Tokens>& sequences, const LengthBatch& batch,
                           std::vector<float>& rows) const {
  std::vector<std::int64_t> token_ids;
  token_ids.reserve(static_cast<std::size_t>(nn::num_rows(batch.groups)));
  for (const std::size_t item : batch.items) {
    token_ids.insert(token_ids.end(), sequences[item].begin(), sequences[item].end());
  }
  const at::Tensor vectors =
      pool(encoder_.forward(token_ids, batch.groups), batch.groups).contiguous();
  const auto width = static_cast<std::size_t>(vectors.size(1));
  const float* values = vectors.const_data_ptr<float>();
  for (std::size_t i = 0; i < batch.items.size(); ++i) {
    std::copy_n(values + i * width, width,
                rows.begin() + static_cast<std::ptrdiff_t>(batch.items[i] * width));
  }
}

std::string MiniLm::description_json() const {
  io::JsonWriter writer;
  writer.begin_object()
      .member("model", "all-MiniLM-L6-v2")
      .member("weights_sha256", sha256_hex_of_file(folder_ / kWeights))
      .member("vocabulary_sha256", sha256_hex_of_file(folder_ / kVocabulary))
      .member("max_tokens", kMaxTokens)
      .end_object();
  return writer.take();
}

}  // namespace contra4::models
