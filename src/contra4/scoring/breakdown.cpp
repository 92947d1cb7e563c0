#include "contra4/scoring/breakdown.h"

#include <algorithm>
#include <map>
#include <set>

#include "contra4/base/error.h"

namespace contra4::scoring {

namespace {

const Item& item_of(const Trial& trial, std::span<const Item> items) {
  CONTRA4_CHECK(trial.item < items.size(), "trial of an unknown item");
  const Item& item = items[trial.item];
  CONTRA4_CHECK(item.answer && *item.answer >= 0 && *item.answer < item.num_scenes(),
                "trial of an item without a gold answer");
  return item;
}

const Scene& gold_scene(const Item& item) {
  return item.scenes[static_cast<std::size_t>(*item.answer)];
}

std::string group_name(Grouping grouping, const Item& item, const Trial& trial) {
  switch (grouping) {
    case Grouping::kModalitySet:
      return modality_set_name(item);
    case Grouping::kCorrectModality:
      return std::string(to_string(gold_scene(item).modality));
    case Grouping::kCategory:
      return item.category.empty() ? "(none)" : item.category;
    case Grouping::kAnswerPosition:
      return std::string(1, scene_letter(shown_place(trial.order, *item.answer)));
  }
  CONTRA4_CHECK(false, "grouping out of range");
}

}  // namespace

std::string_view to_string(Grouping grouping) {
  switch (grouping) {
    case Grouping::kModalitySet:
      return "modality_set";
    case Grouping::kCorrectModality:
      return "correct_modality";
    case Grouping::kCategory:
      return "category";
    case Grouping::kAnswerPosition:
      return "answer_position";
  }
  CONTRA4_CHECK(false, "grouping out of range");
}

std::string modality_set_name(const Item& item) {
  std::set<std::string_view> names;
  for (const Scene& scene : item.scenes) names.insert(to_string(scene.modality));
  std::string joined;
  for (const std::string_view name : names) {
    if (!joined.empty()) joined.push_back('+');
    joined += name;
  }
  return joined;
}

std::vector<NamedAccuracy> breakdown(Grouping grouping, std::span<const Item> items,
                                     std::span<const Trial> trials, const SharedMedia& media) {
  std::map<std::string, std::vector<Observation>> groups;
  for (const Trial& trial : trials) {
    groups[group_name(grouping, item_of(trial, items), trial)].push_back({trial.item, trial.hit});
  }
  std::vector<NamedAccuracy> result;
  for (const auto& [name, inside] : groups)
    result.push_back({name, compute_accuracy(inside, media)});
  return result;
}

Confusion confusion(std::span<const Item> items, std::span<const Trial> trials) {
  Confusion result;
  for (const Trial& trial : trials) {
    const Item& item = item_of(trial, items);
    const auto gold = static_cast<std::size_t>(gold_scene(item).modality);
    Confusion::Row& row = result.rows[gold];
    ++row.total;
    for (const Modality modality : kModalities) {
      const bool is_offered =
          std::any_of(item.scenes.begin(), item.scenes.end(),
                      [&](const Scene& scene) { return scene.modality == modality; });
      row.offered[static_cast<std::size_t>(modality)] += is_offered ? 1 : 0;
    }
    const std::optional<int> chosen = chosen_scene(trial);
    if (!chosen) {
      ++row.unanswered;
      continue;
    }
    CONTRA4_CHECK(*chosen >= 0 && *chosen < item.num_scenes(), "choice of a scene the item lacks");
    const auto modality =
        static_cast<std::size_t>(item.scenes[static_cast<std::size_t>(*chosen)].modality);
    ++row.chosen[modality];
    if (modality == gold && *chosen != *item.answer) ++result.wrong_scene_of_right_modality;
  }
  return result;
}

}  // namespace contra4::scoring
