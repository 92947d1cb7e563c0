// What asking every item in several orders of its scenes tells.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "contra4/data/item.h"
#include "contra4/scoring/accuracy.h"
#include "contra4/scoring/trial.h"

namespace contra4::scoring {

// Of the items with one number of scenes.
struct PositionBias {
  int num_scenes = 0;
  std::int64_t answered = 0;         // trials with a choice
  std::vector<double> chosen_share;  // [num_scenes], of the answered trials
  std::vector<double> gold_share;    // [num_scenes], of the same trials
  std::vector<double> bias;          // chosen_share - gold_share; sums to 0
};

struct PermutationScores {
  Accuracy plain;        // over every trial
  Accuracy all_orders;   // over items: right in every order shown
  Accuracy consistency;  // over items: the same scene chosen in every order; an unanswered order
                         // makes the item inconsistent
  std::vector<PositionBias> position_bias;  // ascending num_scenes, those that occur
  // Half the sum of |bias|, the share of answers that would have to move, averaged over the numbers
  // of scenes by answered trials. 0: none; in [0, 1).
  double total_position_bias = 0;
};

// Items must be labelled. Trials of one item count for it wherever they stand.
PermutationScores permutation_scores(std::span<const Item> items, std::span<const Trial> trials,
                                     const SharedMedia& media);

}  // namespace contra4::scoring
