#include "contra4/models/language/prefix_tree.h"

#include <algorithm>
#include <map>

#include "contra4/base/error.h"

namespace contra4::models {

namespace {

struct Open {
  PrefixNode node;
  std::vector<std::size_t> prompts;

  std::size_t end() const { return node.first_piece + node.num_pieces; }
};

// Parts `prompts`, which are equal up to `piece`, by the pieces that follow.
std::vector<Open> part(std::span<const PieceNumbers> all, const std::vector<std::size_t>& prompts,
                       std::size_t piece, std::size_t parent) {
  std::vector<Open> parts;
  std::map<std::size_t, std::size_t> part_of_piece;
  for (const std::size_t prompt : prompts) {
    const bool is_last = piece + 1 == all[prompt].size();
    const auto known = is_last ? part_of_piece.end() : part_of_piece.find(all[prompt][piece]);
    if (known != part_of_piece.end()) {
      parts[known->second].prompts.push_back(prompt);
      continue;
    }
    if (!is_last) part_of_piece.emplace(all[prompt][piece], parts.size());
    parts.push_back(
        {.node = {.parent = parent, .prompt = prompt, .first_piece = piece}, .prompts = {prompt}});
  }
  for (Open& open : parts) {
    const PieceNumbers& first = all[open.node.prompt];
    std::size_t end = piece + 1;
    if (open.prompts.size() == 1) {
      end = first.size();
    } else {
      const auto is_shared = [&](std::size_t prompt) {
        return end + 1 < all[prompt].size() && all[prompt][end] == first[end];
      };
      while (std::all_of(open.prompts.begin(), open.prompts.end(), is_shared)) ++end;
    }
    open.node.num_pieces = end - piece;
  }
  return parts;
}

}  // namespace

PrefixLevels plan_prefixes(std::span<const PieceNumbers> prompts) {
  PrefixLevels levels;
  std::vector<std::size_t> all(prompts.size());
  for (std::size_t i = 0; i < prompts.size(); ++i) {
    CONTRA4_CHECK(!prompts[i].empty(), "a prompt without a piece");
    all[i] = i;
  }
  std::vector<Open> level = part(prompts, all, 0, 0);
  while (!level.empty()) {
    std::vector<PrefixNode>& nodes = levels.emplace_back();
    for (const Open& open : level) nodes.push_back(open.node);
    if (nodes.size() == prompts.size()) break;
    std::vector<Open> next;
    for (std::size_t i = 0; i < level.size(); ++i) {
      const Open& open = level[i];
      if (open.prompts.size() == 1) {
        next.push_back(
            {.node = {.parent = i, .prompt = open.node.prompt, .first_piece = open.end()},
             .prompts = open.prompts});
        continue;
      }
      std::vector<Open> parts = part(prompts, open.prompts, open.end(), i);
      next.insert(next.end(), parts.begin(), parts.end());
    }
    level = std::move(next);
  }
  return levels;
}

}  // namespace contra4::models
