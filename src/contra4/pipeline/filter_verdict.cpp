#include "contra4/pipeline/filter_verdict.h"

#include <fmt/format.h>

#include "contra4/data/item.h"
#include "contra4/scoring/scene_orders.h"

namespace contra4::pipeline {

namespace {

std::string words_for(std::int8_t scene) {
  return scene < 0 ? "no scene" : scene_name(scene);
}

}  // namespace

ModelVerdict judge(const ModelRow& row, std::int8_t answer, bool same_first_text) {
  ModelVerdict verdict;
  for (std::size_t i = 0; i < row.num_orders; ++i) {
    if (row.scenes[i] == kNotAsked) {
      if (!verdict.not_asked_in) verdict.not_asked_in = i;
    } else if (row.scenes[i] == kNoScene || row.scenes[i] != answer) {
      if (!verdict.disagrees_in) verdict.disagrees_in = i;
    }
  }
  const bool is_asked = row.num_orders > 0 && row.scenes[0] != kNotAsked;
  verdict.agrees_first =
      is_asked && (same_first_text || (answer != kNoScene && row.scenes[0] == answer));
  verdict.agrees_always = row.num_orders > 0 && !verdict.disagrees_in && !verdict.not_asked_in;
  return verdict;
}

std::optional<DropReason> reason_of(std::span<const ModelVerdict> verdicts,
                                    std::span<const ModelRow* const> rows,
                                    std::span<const std::string> models, std::int8_t answer) {
  if (answer == kNoScene) return DropReason{"no answer", "the answer names none of the scenes"};
  for (std::size_t m = 0; m < verdicts.size(); ++m) {
    if (verdicts[m].disagrees_in != std::size_t{0}) continue;
    return DropReason{"order 0", fmt::format("{} names {}, the answer is {}", models[m],
                                             words_for(rows[m]->scenes[0]), words_for(answer))};
  }
  for (std::size_t m = 0; m < verdicts.size(); ++m) {
    if (!verdicts[m].disagrees_in) continue;
    const std::size_t order = *verdicts[m].disagrees_in;
    const auto orders = scoring::all_orders(rows[m]->num_scenes);
    return DropReason{"orders", fmt::format("{} in order {} ({}) names {}, the answer is {}",
                                            models[m], order, scoring::order_name(orders[order]),
                                            words_for(rows[m]->scenes[order]), words_for(answer))};
  }
  for (std::size_t m = 0; m < verdicts.size(); ++m) {
    if (!verdicts[m].not_asked_in) continue;
    return DropReason{"not asked",
                      fmt::format("{} in order {}", models[m], *verdicts[m].not_asked_in)};
  }
  return std::nullopt;
}

}  // namespace contra4::pipeline
