// What a language model says, token by token, and how likely it is to say something given.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include <ATen/core/Tensor.h>

namespace contra4::models {

// Sequences that are being decoded side by side.
class Decoding {
 public:
  virtual ~Decoding() = default;
  // One more token for each sequence -> [num_sequences, vocabulary_size] float32, what may follow.
  virtual at::Tensor feed(std::span<const std::int64_t> token_of_sequence) = 0;
};

struct GreedyOptions {
  std::int64_t max_new_tokens = 0;
  // Ends a sequence; it is the last of its tokens then. Empty: nothing ends one early.
  std::optional<std::int64_t> end_id;
};

// The most likely token each time, of equal ones the lowest.
//   logits  [num_sequences, vocabulary_size] float32, what may come first
std::vector<std::vector<std::int64_t>> decode_greedily(const at::Tensor& logits, Decoding& decoding,
                                                       const GreedyOptions& options);

// Continuations that differ in their last token only are read off one sequence: that of their stem.
struct Stem {
  std::vector<std::int64_t> tokens;  // without the last
  struct End {
    std::size_t continuation = 0;
    std::int64_t token = 0;
  };
  std::vector<End> ends;
};
// None of the continuations is empty.
std::vector<Stem> plan_stems(std::span<const std::vector<std::int64_t>> continuations);

// The sum of a continuation's log-probabilities, for each end of a stem.
//   logits  [tokens of the stem + 1, vocabulary_size] float32: before each token and at the end
std::vector<double> stem_log_probabilities(const at::Tensor& logits, const Stem& stem);

// A stem of one of several questions.
struct AskedStem {
  std::size_t question = 0;
  Stem stem;
};

// The log-probabilities of the continuations of every question, which are numbered from 0.
//   logits  [sum of (tokens of the stem + 1), vocabulary_size]: as stem_log_probabilities() wants
//           them, stem after stem
std::vector<std::vector<double>> continuation_scores(const at::Tensor& logits,
                                                     std::span<const AskedStem> stems,
                                                     std::size_t num_questions);

// The one with the greatest log-probability per token, of equal ones the first: longer names are
// not at a disadvantage.
std::size_t most_likely(std::span<const double> log_probabilities,
                        std::span<const std::vector<std::int64_t>> continuations);

}  // namespace contra4::models
