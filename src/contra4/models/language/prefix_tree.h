// Prompts that begin alike: what of them has to be computed once only.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace contra4::models {

// A prompt as numbers of its pieces: equal numbers, equal rows.
using PieceNumbers = std::vector<std::size_t>;

// What all prompts below it share, behind what those of its parent do.
struct PrefixNode {
  std::size_t parent = 0;       // in the level above; meaningless in the first
  std::size_t prompt = 0;       // one of those below it
  std::size_t first_piece = 0;  // of that prompt
  std::size_t num_pieces = 0;   // 0: the prompt ended in a level above
};

// Level after level; a node's parent lies in the level before. The last level has one node per
// prompt. The last piece of a prompt is never shared, so that every prompt has rows of its own.
// Prompts that share nothing give a single level.
using PrefixLevels = std::vector<std::vector<PrefixNode>>;
PrefixLevels plan_prefixes(std::span<const PieceNumbers> prompts);

}  // namespace contra4::models
