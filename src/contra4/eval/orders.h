// In which orders an evaluation shows the scenes of a question.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "contra4/scoring/scene_orders.h"

namespace contra4::eval {

using scoring::file_order;
using scoring::is_file_order;
using scoring::order_name;
using scoring::parse_order;
using scoring::SceneOrder;

enum class Permutations {
  kNone,      // as in the file
  kCircular,  // every rotation: n requests for n scenes
  kAll,       // every order: n! requests
};

std::string_view to_string(Permutations kind);  // "none", "circular", "all"
std::optional<Permutations> parse_permutations(std::string_view text);

// The order of the file first; then the rotations by one, two, ... or all others lexicographically.
std::vector<SceneOrder> scene_orders(int num_scenes, Permutations kind);

}  // namespace contra4::eval
