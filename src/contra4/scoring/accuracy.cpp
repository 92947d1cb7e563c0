#include "contra4/scoring/accuracy.h"

#include <algorithm>
#include <cmath>

#include "contra4/base/error.h"

namespace contra4::scoring {

Accuracy compute_accuracy(std::span<const Observation> observations, const SharedMedia& media) {
  Accuracy result;
  if (observations.empty()) return result;
  result.total = static_cast<std::int64_t>(observations.size());
  for (const Observation& observation : observations) result.correct += observation.hit;
  const double n = static_cast<double>(result.total);
  result.accuracy = result.correct / n;

  std::vector<double> residuals(media.num_items(), 0.0);
  std::vector<bool> is_observed(media.num_items(), false);
  double num_items = 0;
  for (const Observation& observation : observations) {
    CONTRA4_CHECK(observation.item < media.num_items(), "observation of an unknown item");
    residuals[observation.item] += observation.hit - result.accuracy;
    if (!is_observed[observation.item]) {
      is_observed[observation.item] = true;
      ++num_items;
    }
  }
  double plain = 0;
  for (const double residual : residuals) plain += residual * residual;
  const double shared = media.sum_of_products(residuals);
  result.stderr_plain = std::sqrt(plain) / n;
  result.stderr_shared_media = shared < 0 ? result.stderr_plain : std::sqrt(shared) / n;

  if (result.correct <= 0 || result.correct >= n) {
    const double wilson = kNormal95 * kNormal95 / (num_items + kNormal95 * kNormal95);
    result.ci95_low = result.correct <= 0 ? 0 : 1 - wilson;
    result.ci95_high = result.correct <= 0 ? wilson : 1;
  } else {
    const double half = kNormal95 * std::max(result.stderr_plain, result.stderr_shared_media);
    result.ci95_low = std::max(0.0, result.accuracy - half);
    result.ci95_high = std::min(1.0, result.accuracy + half);
  }
  return result;
}

bool is_in_cell(const Item& item, std::string_view cell) {
  if (cell == "all") return true;
  const std::size_t slash = cell.find('/');
  const bool is_selection = cell == "random" || cell == "similarity";
  const std::string_view selection = is_selection                      ? cell
                                     : slash == std::string_view::npos ? std::string_view()
                                                                       : cell.substr(slash + 1);
  const std::string_view q_type = is_selection ? std::string_view() : cell.substr(0, slash);
  if (!selection.empty() && selection != "random" && selection != "similarity") return false;
  if (!selection.empty() && (selection == "random") != (item.selection_type == "random")) {
    return false;
  }
  if (is_selection) return true;
  static constexpr std::array<std::string_view, 3> kTypes = {"mc_2", "mc_3", "mc_4"};
  if (std::find(kTypes.begin(), kTypes.end(), item.q_type) != kTypes.end()) {
    return item.q_type == q_type;
  }
  const int num_scenes = std::clamp(item.num_scenes(), kMinScenes, kMaxScenes);
  return kTypes[static_cast<std::size_t>(num_scenes - kMinScenes)] == q_type;
}

std::vector<NamedAccuracy> cell_accuracies(std::span<const Item> items,
                                           std::span<const Observation> observations,
                                           const SharedMedia& media) {
  std::vector<NamedAccuracy> cells;
  std::vector<Observation> inside;
  for (const std::string_view cell : kCells) {
    inside.clear();
    for (const Observation& observation : observations) {
      CONTRA4_CHECK(observation.item < items.size(), "observation of an unknown item");
      if (is_in_cell(items[observation.item], cell)) inside.push_back(observation);
    }
    cells.push_back({std::string(cell), compute_accuracy(inside, media)});
  }
  return cells;
}

}  // namespace contra4::scoring
