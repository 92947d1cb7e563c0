#include "contra4/scoring/published_scores.h"

#include <algorithm>
#include <array>
#include <set>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "contra4/base/error.h"
#include "contra4/scoring/accuracy.h"

namespace contra4::scoring {

namespace {

struct Count {
  std::string name;
  std::int64_t correct = 0;
  std::int64_t total = 0;

  double ratio() const {
    return total == 0 ? 0.0 : static_cast<double>(correct) / static_cast<double>(total);
  }
  std::string line() const {
    return fmt::format("{}: {}/{} ({:.2f})\n", name, correct, total, ratio());
  }
};

// Printed name and our cell.
constexpr std::array<std::pair<std::string_view, std::string_view>, 12> kPrintedCells = {{
    {"mc2_rand", "mc_2/random"},
    {"mc2_hs", "mc_2/similarity"},
    {"mc2", "mc_2"},
    {"mc3_rand", "mc_3/random"},
    {"mc3_hs", "mc_3/similarity"},
    {"mc3", "mc_3"},
    {"mc4_rand", "mc_4/random"},
    {"mc4_hs", "mc_4/similarity"},
    {"mc4", "mc_4"},
    {"sample_rand", "random"},
    {"sample_hs", "similarity"},
    {"all", "all"},
}};

// The order of the lines per list of modalities in the published output; lists that it lacks follow
// as they occur.
constexpr std::array<std::string_view, 22> kPrintedLists = {
    "['audio', 'image']",
    "['audio', 'pc']",
    "['audio', 'video']",
    "['audio', 'pc', 'image']",
    "['audio', 'image', 'pc']",
    "['audio', 'pc', 'video']",
    "['audio', 'image', 'video']",
    "['pc', 'image', 'audio']",
    "['pc', 'image', 'video']",
    "['pc', 'audio', 'image', 'video']",
    "['image', 'pc', 'audio', 'video']",
    "['pc', 'audio', 'image']",
    "['audio', 'pc', 'image', 'video']",
    "['image', 'audio']",
    "['image', 'pc']",
    "['image', 'video']",
    "['pc', 'audio']",
    "['pc', 'image']",
    "['image', 'pc', 'audio']",
    "['video', 'pc', 'image', 'audio']",
    "['pc', 'video']",
    "['image', 'audio', 'pc']",
};

// As Python prints a list of strings; empty when a modality occurs twice.
std::string modality_list(const Item& item) {
  std::set<Modality> seen;
  std::string text = "[";
  for (const Scene& scene : item.scenes) {
    if (!seen.insert(scene.modality).second) return {};
    if (text.size() > 1) text += ", ";
    text += fmt::format("'{}'", to_string(scene.modality));
  }
  return text + "]";
}

}  // namespace

std::string published_scores(std::span<const Item> items,
                             std::span<const PublishedPrediction> predictions) {
  std::vector<Count> cells;
  for (const auto& printed : kPrintedCells) cells.push_back({std::string(printed.first)});
  std::vector<Count> lists;
  for (const std::string_view list : kPrintedLists) lists.push_back({std::string(list)});

  for (const PublishedPrediction& prediction : predictions) {
    CONTRA4_CHECK(prediction.item < items.size(), "prediction for an unknown item");
    const Item& item = items[prediction.item];
    if (!item.answer) continue;
    const bool is_right =
        prediction.pred_ans.find(scene_name(*item.answer)) != std::string_view::npos;
    for (std::size_t c = 0; c < cells.size(); ++c) {
      if (!is_in_cell(item, kPrintedCells[c].second)) continue;
      ++cells[c].total;
      cells[c].correct += is_right ? 1 : 0;
    }
    const std::string list = modality_list(item);
    if (list.empty()) continue;
    auto count = std::find_if(lists.begin(), lists.end(),
                              [&](const Count& known) { return known.name == list; });
    if (count == lists.end()) count = lists.insert(lists.end(), Count{list});
    ++count->total;
    count->correct += prediction.pred_ans.find('S') != std::string_view::npos ? 1 : 0;
  }

  std::string text = cells.back().line();
  std::string values;
  for (const Count& cell : cells) {
    text += cell.line();
    values += fmt::format("{:.2f},", cell.ratio());
  }
  text += values + "\n";
  for (const Count& list : lists) {
    if (list.total > 0) text += list.line();
  }
  return text;
}

}  // namespace contra4::scoring
