#include "contra4/models/language/llama_decoding.h"

#include <algorithm>
#include <numeric>
#include <utility>

#include <ATen/ops/cat.h>
#include <ATen/ops/index_select.h>
#include <ATen/ops/tensor.h>

#include "contra4/base/error.h"

namespace contra4::models {

namespace {

// A node of a level, in the order of the cache.
struct Sequence {
  std::size_t parent = 0;  // in the cache of the level before
  std::size_t prompt = 0;
  std::size_t first_piece = 0;
  std::size_t num_pieces = 0;
  std::int64_t past = 0;
  std::int64_t length = 0;  // new rows
};

// Sequences with equal numbers of rows become one group where they lie side by side; those without
// new rows none.
std::vector<nn::CacheGroup> group(const std::vector<Sequence>& sequences) {
  std::vector<nn::CacheGroup> groups;
  for (std::size_t i = 0; i < sequences.size(); ++i) {
    const Sequence& sequence = sequences[i];
    if (sequence.length == 0) continue;
    const auto index = static_cast<std::int64_t>(i);
    if (!groups.empty() && groups.back().past == sequence.past &&
        groups.back().length == sequence.length &&
        groups.back().first_sequence + groups.back().count == index) {
      ++groups.back().count;
    } else {
      groups.push_back(
          {.first_sequence = index, .count = 1, .past = sequence.past, .length = sequence.length});
    }
  }
  return groups;
}

// The sequences of a level, equal lengths side by side. `before`: of the level above.
std::vector<Sequence> sequences_of(const std::vector<PrefixNode>& nodes,
                                   std::span<const LlamaPrompt> prompts,
                                   const std::vector<Sequence>& before,
                                   const std::vector<std::size_t>& place_before) {
  std::vector<Sequence> sequences;
  for (const PrefixNode& node : nodes) {
    Sequence sequence{
        .prompt = node.prompt, .first_piece = node.first_piece, .num_pieces = node.num_pieces};
    if (!before.empty()) {
      sequence.parent = place_before[node.parent];
      sequence.past = before[sequence.parent].past + before[sequence.parent].length;
    }
    for (std::size_t i = 0; i < node.num_pieces; ++i) {
      sequence.length += prompts[node.prompt].pieces[node.first_piece + i].size(0);
    }
    sequences.push_back(sequence);
  }
  return sequences;
}

}  // namespace

std::int64_t LlamaPrompt::num_rows() const {
  return std::accumulate(
      pieces.begin(), pieces.end(), std::int64_t{0},
      [](std::int64_t sum, const at::Tensor& piece) { return sum + piece.size(0); });
}

LlamaDecoding::LlamaDecoding(const LlamaDecoder& decoder, std::span<const LlamaPrompt> prompts,
                             std::int64_t max_new_tokens)
    : decoder_(decoder) {
  CONTRA4_CHECK(!prompts.empty(), "no prompt");
  compute(prompts, max_new_tokens);
}

void LlamaDecoding::compute(std::span<const LlamaPrompt> prompts, std::int64_t max_new_tokens) {
  std::vector<PieceNumbers> numbers;
  std::int64_t longest = 0;
  for (const LlamaPrompt& prompt : prompts) {
    CONTRA4_CHECK(prompt.numbers.size() == prompt.pieces.size() &&
                      prompt.num_logits <= prompt.pieces.back().size(0),
                  "a number for each piece, logits of the last one");
    numbers.push_back(prompt.numbers);
    longest = std::max(longest, prompt.num_rows());
  }
  const PrefixLevels levels = plan_prefixes(numbers);
  std::vector<at::Tensor> last_rows(prompts.size());
  std::vector<Sequence> sequences;
  std::vector<std::size_t> places;  // in the cache, of each node of a level
  for (std::size_t level = 0; level < levels.size(); ++level) {
    const std::vector<Sequence> unordered = sequences_of(levels[level], prompts, sequences, places);
    std::vector<std::size_t> order(unordered.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
      return std::pair(unordered[a].past, unordered[a].length) <
             std::pair(unordered[b].past, unordered[b].length);
    });
    std::vector<std::size_t> next_places(order.size());
    std::vector<Sequence> next;
    std::vector<std::int64_t> parents;
    std::vector<at::Tensor> rows;
    std::int64_t longest_past = 0;
    std::int64_t longest_here = 0;
    for (const std::size_t node : order) {
      const Sequence& sequence = unordered[node];
      next_places[node] = next.size();
      next.push_back(sequence);
      parents.push_back(static_cast<std::int64_t>(sequence.parent));
      longest_past = std::max(longest_past, sequence.past);
      longest_here = std::max(longest_here, sequence.past + sequence.length);
      for (std::size_t i = 0; i < sequence.num_pieces; ++i) {
        rows.push_back(prompts[sequence.prompt].pieces[sequence.first_piece + i]);
      }
    }
    const std::int64_t capacity =
        level + 1 == levels.size() ? longest + max_new_tokens : longest_here;
    cache_ = level == 0 ? decoder_.new_cache(std::ssize(next), capacity)
                        : cache_.branch(parents, longest_past, capacity);
    const at::Tensor hidden = decoder_.forward(at::cat(rows), group(next), cache_);
    std::int64_t end = 0;
    for (const Sequence& sequence : next) {
      end += sequence.length;
      const LlamaPrompt& prompt = prompts[sequence.prompt];
      if (sequence.length == 0 ||
          sequence.first_piece + sequence.num_pieces < prompt.pieces.size()) {
        continue;
      }
      last_rows[sequence.prompt] = hidden.narrow(0, end - prompt.num_logits, prompt.num_logits);
    }
    sequences = std::move(next);
    places = std::move(next_places);
  }
  logits_ = decoder_.logits(at::cat(last_rows));
  for (const Sequence& sequence : sequences) {
    prompts_.push_back(sequence.prompt);
    lengths_.push_back(sequence.past + sequence.length);
  }
}

void LlamaDecoding::forget(std::size_t prompt, std::int64_t num_positions) {
  const auto place = std::find(prompts_.begin(), prompts_.end(), prompt);
  CONTRA4_CHECK(place != prompts_.end(), "a prompt that is there");
  std::int64_t& length = lengths_[static_cast<std::size_t>(place - prompts_.begin())];
  length = std::min(length, num_positions);
}

at::Tensor LlamaDecoding::feed(std::span<const std::int64_t> token_of_sequence) {
  CONTRA4_CHECK(token_of_sequence.size() == prompts_.size(), "a token for each sequence");
  std::vector<std::int64_t> tokens;
  std::vector<Sequence> sequences;
  std::vector<std::int64_t> row_of_prompt(prompts_.size());
  for (std::size_t i = 0; i < prompts_.size(); ++i) {
    tokens.push_back(token_of_sequence[prompts_[i]]);
    sequences.push_back({.past = lengths_[i]++, .length = 1});
    row_of_prompt[prompts_[i]] = static_cast<std::int64_t>(i);
  }
  const at::Tensor hidden = decoder_.forward(decoder_.embed(tokens), group(sequences), cache_);
  const at::Tensor rows = at::tensor(row_of_prompt, at::kLong).to(hidden.device());
  return decoder_.logits(hidden.index_select(0, rows));
}

}  // namespace contra4::models
