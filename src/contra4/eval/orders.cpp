#include "contra4/eval/orders.h"

#include <algorithm>
#include <numeric>

#include "contra4/data/item.h"

namespace contra4::eval {

std::string_view to_string(Permutations kind) {
  switch (kind) {
    case Permutations::kNone:
      return "none";
    case Permutations::kCircular:
      return "circular";
    case Permutations::kAll:
      break;
  }
  return "all";
}

std::optional<Permutations> parse_permutations(std::string_view text) {
  for (const Permutations kind :
       {Permutations::kNone, Permutations::kCircular, Permutations::kAll}) {
    if (text == to_string(kind)) return kind;
  }
  return std::nullopt;
}

SceneOrder file_order(int num_scenes) {
  SceneOrder order(static_cast<std::size_t>(num_scenes));
  std::iota(order.begin(), order.end(), 0);
  return order;
}

bool is_file_order(const SceneOrder& order) {
  return std::is_sorted(order.begin(), order.end());
}

std::vector<SceneOrder> scene_orders(int num_scenes, Permutations kind) {
  SceneOrder order = file_order(num_scenes);
  std::vector<SceneOrder> orders = {order};
  if (kind == Permutations::kCircular) {
    for (int turn = 1; turn < num_scenes; ++turn) {
      std::rotate(order.begin(), order.begin() + 1, order.end());
      orders.push_back(order);
    }
  } else if (kind == Permutations::kAll) {
    while (std::next_permutation(order.begin(), order.end())) orders.push_back(order);
  }
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

}  // namespace contra4::eval
