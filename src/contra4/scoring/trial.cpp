#include "contra4/scoring/trial.h"

#include <algorithm>

#include "contra4/base/error.h"

namespace contra4::scoring {

int shown_place(std::span<const int> order, int original) {
  const auto found = std::find(order.begin(), order.end(), original);
  CONTRA4_CHECK(found != order.end(), "the order does not show the scene");
  return static_cast<int>(found - order.begin());
}

std::optional<int> chosen_scene(const Trial& trial) {
  if (!trial.choice) return std::nullopt;
  CONTRA4_CHECK(*trial.choice >= 0 && *trial.choice < static_cast<int>(trial.order.size()),
                "choice of a scene that was not shown");
  return trial.order[static_cast<std::size_t>(*trial.choice)];
}

std::vector<Observation> observations(std::span<const Trial> trials) {
  std::vector<Observation> result;
  result.reserve(trials.size());
  for (const Trial& trial : trials) result.push_back({trial.item, trial.hit});
  return result;
}

}  // namespace contra4::scoring
