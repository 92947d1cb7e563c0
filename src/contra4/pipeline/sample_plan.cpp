#include "contra4/pipeline/sample_plan.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include <fmt/format.h>

#include "contra4/data/item.h"

namespace contra4::pipeline {

std::string combination_name(const Combination& combination) {
  std::string name;
  for (const Modality modality : combination) {
    if (!name.empty()) name += '+';
    name += to_string(modality);
  }
  return name;
}

Result<Combination> parse_combination(std::string_view text) {
  Combination combination;
  std::string_view rest = text;
  while (true) {
    const auto plus = rest.find('+');
    const std::string_view word = rest.substr(0, plus);
    const auto modality = parse_modality(word);
    if (!modality) {
      return Error{
          ErrorCode::kInvalidArgument,
          fmt::format("'{}': no modality '{}'; audio, pc, image and video are known", text, word)};
    }
    combination.push_back(*modality);
    if (plus == std::string_view::npos) break;
    rest.remove_prefix(plus + 1);
  }
  if (combination.size() < kMinScenes || combination.size() > kMaxScenes) {
    return Error{ErrorCode::kInvalidArgument,
                 fmt::format("'{}': {} to {} modalities joined by + are wanted, as in audio+image",
                             text, kMinScenes, kMaxScenes)};
  }
  std::sort(combination.begin(), combination.end());
  return combination;
}

std::vector<Combination> combinations_of(std::span<const Modality> modalities) {
  std::vector<Combination> found;
  const std::size_t count = modalities.size();
  for (std::size_t size = kMinScenes; size <= count; ++size) {
    std::vector<std::size_t> chosen(size);
    std::iota(chosen.begin(), chosen.end(), std::size_t{0});
    while (true) {
      Combination combination;
      for (const std::size_t index : chosen) combination.push_back(modalities[index]);
      found.push_back(std::move(combination));
      // The last index that can still move, with those behind it close by.
      std::size_t moved = size;
      while (moved > 0 && chosen[moved - 1] == count - size + moved - 1) --moved;
      if (moved == 0) break;
      ++chosen[moved - 1];
      for (std::size_t i = moved; i < size; ++i) chosen[i] = chosen[i - 1] + 1;
    }
  }
  return found;
}

std::vector<CombinationPlan> plan_combinations(const std::vector<Combination>& combinations,
                                               std::int64_t per_combination,
                                               std::optional<std::int64_t> total,
                                               const ModalityWeights& weights) {
  std::vector<double> shares;
  for (const Combination& combination : combinations) {
    double share = 1;
    for (const Modality modality : combination) {
      share *= weights[static_cast<std::size_t>(modality)];
    }
    shares.push_back(share);
  }
  const double sum = std::accumulate(shares.begin(), shares.end(), 0.0);
  if (!(sum > 0)) {
    throw Exception(ErrorCode::kInvalidArgument,
                    "no combination of modalities is left: their weights are 0");
  }
  const std::int64_t wanted =
      total.value_or(per_combination * static_cast<std::int64_t>(combinations.size()));
  std::vector<CombinationPlan> plans;
  std::vector<double> remainders;
  std::int64_t given = 0;
  for (std::size_t i = 0; i < combinations.size(); ++i) {
    const double exact = static_cast<double>(wanted) * shares[i] / sum;
    // An exact share that rounding has put a hair below a whole number is that number.
    const auto count = static_cast<std::int64_t>(std::floor(exact + 1e-6));
    plans.push_back({combinations[i], 0, count});
    remainders.push_back(exact - static_cast<double>(count));
    given += count;
  }
  std::vector<std::size_t> order(plans.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return remainders[a] > remainders[b]; });
  for (std::size_t i = 0; given < wanted; ++i, ++given) ++plans[order[i % order.size()]].count;
  std::int64_t first = 0;
  for (CombinationPlan& plan : plans) {
    plan.first = first;
    first += plan.count;
  }
  return plans;
}

}  // namespace contra4::pipeline
