// In which orders the scenes of a question are shown.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace contra4::scoring {

// order[k] is the item's own index of the scene shown at place k ("Scene A" is place 0).
using SceneOrder = std::vector<int>;

SceneOrder file_order(int num_scenes);
bool is_file_order(const SceneOrder& order);

// All num_scenes! of them, lexicographically, so that the file's comes first: as Python's
// itertools.permutations has them.
std::vector<SceneOrder> all_orders(int num_scenes);

// The item's own letters as they are shown: {1, 0, 2} is "BAC".
std::string order_name(const SceneOrder& order);
// Empty unless `name` is a permutation of the first `num_scenes` letters.
std::optional<SceneOrder> parse_order(std::string_view name, int num_scenes);

}  // namespace contra4::scoring
