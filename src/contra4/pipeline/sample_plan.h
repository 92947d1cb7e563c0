// Which modalities meet in how many tuples.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "contra4/base/error.h"
#include "contra4/data/modality.h"

namespace contra4::pipeline {

// Modalities of the scenes of a tuple in their order; one may occur twice.
using Combination = std::vector<Modality>;

// "audio+image"
std::string combination_name(const Combination& combination);
// kInvalidArgument unless two to four known modalities are joined by +. The order is that of
// kModalities, whatever was typed.
Result<Combination> parse_combination(std::string_view text);
// All of those modalities without repetition: pairs first, then three, then four.
std::vector<Combination> combinations_of(std::span<const Modality> modalities);

struct CombinationPlan {
  Combination modalities;
  std::int64_t first = 0;  // number of its first tuple among all
  std::int64_t count = 0;  // tuples asked for
};

// How large a share a modality has; 1 each without weights.
using ModalityWeights = std::array<double, kModalities.size()>;

// A combination's share of the total is the product of the weights of its modalities; without a
// total each combination of weight 1 would get `per_combination`, and the total is that times their
// number. What is over goes to the largest remainders, so that the counts add up.
std::vector<CombinationPlan> plan_combinations(const std::vector<Combination>& combinations,
                                               std::int64_t per_combination,
                                               std::optional<std::int64_t> total,
                                               const ModalityWeights& weights);

}  // namespace contra4::pipeline
