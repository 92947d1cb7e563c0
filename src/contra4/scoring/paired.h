// Two runs over the same items: does their difference mean something?
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "contra4/scoring/accuracy.h"
#include "contra4/scoring/shared_media.h"

namespace contra4::scoring {

struct PairedDifference {
  std::int64_t num_items = 0;  // scored in both runs
  double accuracy_a = 0;       // over these items; an item's hit is its mean over orders
  double accuracy_b = 0;
  double difference = 0;    // a - b
  std::int64_t only_a = 0;  // items on which a does better
  std::int64_t only_b = 0;
  double stderr_plain = 0;
  double stderr_shared_media = 0;
  double ci95_low = 0;
  double ci95_high = 0;
  double p_value = 1;           // two-sided, of no difference, by the larger error
  double p_adjusted = 1;        // by Holm over all comparisons made together
  bool is_significant = false;  // p_adjusted below the level
};

// Observations of both runs over the items of `media`. Where every item differs alike there is no
// spread to go by: then the p value is the sign test's. Without common items all is zero.
PairedDifference compare_paired(std::span<const Observation> a, std::span<const Observation> b,
                                const SharedMedia& media);

// Holm's step-down correction, in the order given.
std::vector<double> holm_adjust(std::span<const double> p_values);

// Fills p_adjusted and is_significant of comparisons that are looked at together.
void correct_for_many(std::span<PairedDifference> comparisons, double level = 0.05);

}  // namespace contra4::scoring
