#include "contra4/scoring/scene_orders.h"

#include <algorithm>
#include <numeric>

#include "contra4/data/item.h"

namespace contra4::scoring {

SceneOrder file_order(int num_scenes) {
  SceneOrder order(static_cast<std::size_t>(num_scenes));
  std::iota(order.begin(), order.end(), 0);
  return order;
}

bool is_file_order(const SceneOrder& order) {
  return std::is_sorted(order.begin(), order.end());
}

std::vector<SceneOrder> all_orders(int num_scenes) {
  SceneOrder order = file_order(num_scenes);
  std::vector<SceneOrder> orders = {order};
  while (std::next_permutation(order.begin(), order.end())) orders.push_back(order);
  return orders;
}

std::string order_name(const SceneOrder& order) {
  std::string name;
  for (const int scene : order) name += scene_letter(scene);
  return name;
}

std::optional<SceneOrder> parse_order(std::string_view name, int num_scenes) {
  if (name.size() != static_cast<std::size_t>(num_scenes)) return std::nullopt;
  SceneOrder order;
  for (const char letter : name) {
    const int scene = letter - 'A';
    if (scene < 0 || scene >= num_scenes ||
        std::find(order.begin(), order.end(), scene) != order.end()) {
      return std::nullopt;
    }
    order.push_back(scene);
  }
  return order;
}

}  // namespace contra4::scoring
