// In which orders the scenes of a question are shown.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace contra4::eval {

enum class Permutations {
  kNone,      // as in the file
  kCircular,  // every rotation: n requests for n scenes
  kAll,       // every order: n! requests
};

std::string_view to_string(Permutations kind);  // "none", "circular", "all"
std::optional<Permutations> parse_permutations(std::string_view text);

// order[k] is the item's own index of the scene shown at place k ("Scene A" is place 0).
using SceneOrder = std::vector<int>;

// The order of the file first; then the rotations by one, two, ... or all others lexicographically.
std::vector<SceneOrder> scene_orders(int num_scenes, Permutations kind);
SceneOrder file_order(int num_scenes);
bool is_file_order(const SceneOrder& order);

// The item's own letters as they are shown: {1, 0, 2} is "BAC".
std::string order_name(const SceneOrder& order);
// Empty unless `name` is a permutation of the first `num_scenes` letters.
std::optional<SceneOrder> parse_order(std::string_view name, int num_scenes);

}  // namespace contra4::eval
