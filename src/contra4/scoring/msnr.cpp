#include "contra4/scoring/msnr.h"

#include <algorithm>

namespace contra4::scoring {

std::optional<double> msnr(double accuracy, double accuracy_no_input,
                           double accuracy_random_input) {
  const double noise = (accuracy_no_input + accuracy_random_input) / 2;
  if (noise <= 0) return std::nullopt;
  return (accuracy - noise) / noise;
}

std::vector<NamedMsnr> cell_msnr(std::span<const NamedAccuracy> run,
                                 std::span<const NamedAccuracy> no_input,
                                 std::span<const NamedAccuracy> random_input) {
  const auto find = [](std::span<const NamedAccuracy> cells, const std::string& name) {
    const auto found = std::find_if(cells.begin(), cells.end(),
                                    [&](const NamedAccuracy& cell) { return cell.name == name; });
    const bool has_items = found != cells.end() && found->accuracy.total > 0;
    return has_items ? &found->accuracy : nullptr;
  };
  std::vector<NamedMsnr> result;
  for (const NamedAccuracy& cell : run) {
    const Accuracy* none = find(no_input, cell.name);
    const Accuracy* random = find(random_input, cell.name);
    NamedMsnr named{cell.name, std::nullopt};
    if (cell.accuracy.total > 0 && none != nullptr && random != nullptr) {
      named.msnr = msnr(cell.accuracy.accuracy, none->accuracy, random->accuracy);
    }
    result.push_back(std::move(named));
  }
  return result;
}

}  // namespace contra4::scoring
