// Accuracies with honest errors, in all and per cell of the published tables.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "contra4/data/item.h"
#include "contra4/scoring/shared_media.h"

namespace contra4::scoring {

// One scored answer. An item has several when it was asked in several orders.
struct Observation {
  std::size_t item = 0;  // index into the items that SharedMedia was made of
  double hit = 0;        // 0 or 1; between them for an expectation, as chance's 1/n
};

struct Accuracy {
  double correct = 0;      // sum of hits; whole unless hits are expectations
  std::int64_t total = 0;  // observations
  double accuracy = 0;     // correct / total; 0 when there are none
  // With e = hit minus accuracy and E an item's sum of e: sqrt(sum of E^2) / total, so that orders
  // of one item do not count as independent.
  double stderr_plain = 0;
  // sqrt(sum of E_i E_j over related pairs) / total; stderr_plain where that sum is negative.
  double stderr_shared_media = 0;
  // 95%: accuracy +- 1.96 times the larger of both errors, cut to [0, 1]. All right or all wrong
  // says nothing about the spread; there it is Wilson's interval over the number of items.
  double ci95_low = 0;
  double ci95_high = 1;
};

inline constexpr double kNormal95 = 1.959963984540054;

Accuracy compute_accuracy(std::span<const Observation> observations, const SharedMedia& media);

struct NamedAccuracy {
  std::string name;
  Accuracy accuracy;
};

// The cells in the order of every table. "similarity" holds every selection type but "random", as
// in the published scorer; mc_N goes by q_type, or by the number of scenes where that is no mc_N.
inline constexpr std::array<std::string_view, 12> kCells = {
    "all",         "random",         "similarity",      "mc_2",        "mc_3",
    "mc_4",        "mc_2/random",    "mc_2/similarity", "mc_3/random", "mc_3/similarity",
    "mc_4/random", "mc_4/similarity"};

// False for a name that is no cell.
bool is_in_cell(const Item& item, std::string_view cell);

// One per cell of kCells; cells without items have total 0.
std::vector<NamedAccuracy> cell_accuracies(std::span<const Item> items,
                                           std::span<const Observation> observations,
                                           const SharedMedia& media);

}  // namespace contra4::scoring
