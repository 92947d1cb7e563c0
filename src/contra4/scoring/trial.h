// One question as it was put and answered: what breakdowns, confusion and permutation scores are
// computed from.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <vector>

#include "contra4/data/item.h"
#include "contra4/scoring/accuracy.h"

namespace contra4::scoring {

struct Trial {
  std::size_t item = 0;       // index into the items
  std::vector<int> order;     // the item's scene order[k] was shown at place k
  std::optional<int> choice;  // place as shown; empty: unanswered
  double hit = 0;             // 0 or 1, by the scoring rule
};

// Of scene `original` in that order; throws kInternal when the order does not show it.
int shown_place(std::span<const int> order, int original);
// The item's own scene that was chosen.
std::optional<int> chosen_scene(const Trial& trial);

std::vector<Observation> observations(std::span<const Trial> trials);

}  // namespace contra4::scoring
