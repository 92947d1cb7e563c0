#include "contra4/models/language/generation.h"

#include <algorithm>
#include <map>
#include <utility>

#include <ATen/ops/log_softmax.h>

#include "contra4/base/error.h"

namespace contra4::models {

namespace {

// A library's argmax does not say which of equal ones it gives.
std::vector<std::int64_t> lowest_best(const at::Tensor& logits) {
  const at::Tensor rows = logits.to(at::kCPU, at::kFloat).contiguous();
  const auto size = static_cast<std::size_t>(rows.size(1));
  std::vector<std::int64_t> best;
  for (std::int64_t i = 0; i < rows.size(0); ++i) {
    const std::span<const float> row(rows.const_data_ptr<float>() + i * rows.size(1), size);
    best.push_back(std::max_element(row.begin(), row.end()) - row.begin());
  }
  return best;
}

}  // namespace

std::vector<std::vector<std::int64_t>> decode_greedily(const at::Tensor& logits, Decoding& decoding,
                                                       const GreedyOptions& options) {
  std::vector<std::vector<std::int64_t>> said(static_cast<std::size_t>(logits.size(0)));
  std::vector<bool> has_ended(said.size(), false);
  at::Tensor next = logits;
  for (std::int64_t i = 0; i < options.max_new_tokens; ++i) {
    const std::vector<std::int64_t> tokens = lowest_best(next);
    for (std::size_t j = 0; j < said.size(); ++j) {
      if (has_ended[j]) continue;
      said[j].push_back(tokens[j]);
      has_ended[j] = options.end_id == tokens[j];
    }
    const bool have_all_ended =
        std::all_of(has_ended.begin(), has_ended.end(), [](bool has) { return has; });
    if (have_all_ended || i + 1 == options.max_new_tokens) break;
    next = decoding.feed(tokens);
  }
  return said;
}

std::vector<Stem> plan_stems(std::span<const std::vector<std::int64_t>> continuations) {
  std::vector<Stem> stems;
  std::map<std::vector<std::int64_t>, std::size_t> stem_of_tokens;
  for (std::size_t i = 0; i < continuations.size(); ++i) {
    CONTRA4_CHECK(!continuations[i].empty(), "a continuation without a token");
    std::vector<std::int64_t> tokens(continuations[i].begin(), continuations[i].end() - 1);
    const auto [stem, is_new] = stem_of_tokens.try_emplace(tokens, stems.size());
    if (is_new) stems.push_back({.tokens = std::move(tokens), .ends = {}});
    stems[stem->second].ends.push_back({.continuation = i, .token = continuations[i].back()});
  }
  return stems;
}

std::vector<double> stem_log_probabilities(const at::Tensor& logits, const Stem& stem) {
  CONTRA4_CHECK(logits.size(0) == std::ssize(stem.tokens) + 1, "logits before each token");
  const at::Tensor rows = logits.to(at::kDouble).log_softmax(1).to(at::kCPU).contiguous();
  const double* values = rows.const_data_ptr<double>();
  const auto at_row = [&](std::int64_t row, std::int64_t token) {
    return values[row * rows.size(1) + token];
  };
  double sum = 0;
  for (std::size_t i = 0; i < stem.tokens.size(); ++i) {
    sum += at_row(static_cast<std::int64_t>(i), stem.tokens[i]);
  }
  std::vector<double> of_ends;
  for (const Stem::End& end : stem.ends) {
    of_ends.push_back(sum + at_row(rows.size(0) - 1, end.token));
  }
  return of_ends;
}

std::vector<std::vector<double>> continuation_scores(const at::Tensor& logits,
                                                     std::span<const AskedStem> stems,
                                                     std::size_t num_questions) {
  std::vector<std::vector<double>> scores(num_questions);
  std::int64_t row = 0;
  for (const auto& [question, stem] : stems) {
    const std::int64_t num_rows = std::ssize(stem.tokens) + 1;
    const auto of_ends = stem_log_probabilities(logits.narrow(0, row, num_rows), stem);
    std::vector<double>& of_question = scores.at(question);
    for (std::size_t i = 0; i < stem.ends.size(); ++i) {
      const std::size_t continuation = stem.ends[i].continuation;
      if (of_question.size() <= continuation) of_question.resize(continuation + 1);
      of_question[continuation] = of_ends[i];
    }
    row += num_rows;
  }
  return scores;
}

std::size_t most_likely(std::span<const double> log_probabilities,
                        std::span<const std::vector<std::int64_t>> continuations) {
  CONTRA4_CHECK(!log_probabilities.empty() && log_probabilities.size() == continuations.size(),
                "a log-probability for each continuation");
  const auto per_token = [&](std::size_t i) {
    return log_probabilities[i] / static_cast<double>(continuations[i].size());
  };
  std::size_t best = 0;
  for (std::size_t i = 1; i < log_probabilities.size(); ++i) {
    if (per_token(i) > per_token(best)) best = i;
  }
  return best;
}

}  // namespace contra4::models
