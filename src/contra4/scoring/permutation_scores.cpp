#include "contra4/scoring/permutation_scores.h"

#include <cmath>
#include <map>
#include <optional>

#include "contra4/base/error.h"

namespace contra4::scoring {

namespace {

// One item over all orders in which it was shown.
struct ItemOrders {
  bool is_always_right = true;
  bool is_consistent = true;
  std::optional<int> scene;  // of the item, chosen in the first order
  bool has_first = false;
};

struct PositionCounts {
  std::vector<double> chosen;
  std::vector<double> gold;
  std::int64_t answered = 0;
};

PositionBias bias_of(int num_scenes, const PositionCounts& counts) {
  PositionBias result;
  result.num_scenes = num_scenes;
  result.answered = counts.answered;
  const double n = counts.answered == 0 ? 1 : static_cast<double>(counts.answered);
  for (std::size_t place = 0; place < counts.chosen.size(); ++place) {
    result.chosen_share.push_back(counts.chosen[place] / n);
    result.gold_share.push_back(counts.gold[place] / n);
    result.bias.push_back((counts.chosen[place] - counts.gold[place]) / n);
  }
  return result;
}

}  // namespace

PermutationScores permutation_scores(std::span<const Item> items, std::span<const Trial> trials,
                                     const SharedMedia& media) {
  std::map<std::size_t, ItemOrders> by_item;
  std::map<int, PositionCounts> by_num_scenes;
  for (const Trial& trial : trials) {
    CONTRA4_CHECK(trial.item < items.size() && items[trial.item].answer,
                  "trial of an item without a gold answer");
    const std::optional<int> scene = chosen_scene(trial);
    ItemOrders& orders = by_item[trial.item];
    if (!orders.has_first) {
      orders.has_first = true;
      orders.scene = scene;
    }
    orders.is_always_right &= trial.hit >= 1;
    orders.is_consistent &= scene.has_value() && scene == orders.scene;

    const std::size_t num_scenes = trial.order.size();
    PositionCounts& counts = by_num_scenes[static_cast<int>(num_scenes)];
    counts.chosen.resize(num_scenes);
    counts.gold.resize(num_scenes);
    if (!trial.choice) continue;
    ++counts.answered;
    ++counts.chosen[static_cast<std::size_t>(*trial.choice)];
    ++counts.gold[static_cast<std::size_t>(shown_place(trial.order, *items[trial.item].answer))];
  }

  std::vector<Observation> all_orders;
  std::vector<Observation> consistent;
  for (const auto& [item, orders] : by_item) {
    all_orders.push_back({item, orders.is_always_right ? 1.0 : 0.0});
    consistent.push_back({item, orders.is_consistent ? 1.0 : 0.0});
  }
  PermutationScores result;
  result.plain = compute_accuracy(observations(trials), media);
  result.all_orders = compute_accuracy(all_orders, media);
  result.consistency = compute_accuracy(consistent, media);
  double answered = 0;
  for (const auto& [num_scenes, counts] : by_num_scenes) {
    PositionBias bias = bias_of(num_scenes, counts);
    double moved = 0;
    for (const double share : bias.bias) moved += std::abs(share) / 2;
    result.total_position_bias += moved * static_cast<double>(bias.answered);
    answered += static_cast<double>(bias.answered);
    result.position_bias.push_back(std::move(bias));
  }
  if (answered > 0) result.total_position_bias /= answered;
  return result;
}

}  // namespace contra4::scoring
