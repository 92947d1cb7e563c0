#include "contra4/eval/orders.h"

#include <algorithm>

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

std::vector<SceneOrder> scene_orders(int num_scenes, Permutations kind) {
  if (kind == Permutations::kAll) return scoring::all_orders(num_scenes);
  SceneOrder order = file_order(num_scenes);
  std::vector<SceneOrder> orders = {order};
  if (kind == Permutations::kCircular) {
    for (int turn = 1; turn < num_scenes; ++turn) {
      std::rotate(order.begin(), order.begin() + 1, order.end());
      orders.push_back(order);
    }
  }
  return orders;
}

}  // namespace contra4::eval
