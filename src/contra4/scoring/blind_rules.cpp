#include "contra4/scoring/blind_rules.h"

#include <algorithm>

#include <fmt/format.h>

#include "contra4/base/error.h"
#include "contra4/base/random.h"
#include "contra4/base/suggest.h"
#include "contra4/base/utf8.h"
#include "contra4/io/json_writer.h"

namespace contra4::scoring {

namespace {

constexpr std::string_view kModalityPrior = "modality-prior";
constexpr std::string_view kPositionPrior = "position-prior";
constexpr std::string_view kLongestCaption = "longest-caption";
constexpr std::string_view kAlways = "always-";
constexpr std::string_view kChance = "chance";

std::string describe(std::string_view rule, std::string_view fitted = {}) {
  io::JsonWriter writer;
  writer.begin_object().member("rule", rule);
  if (!fitted.empty()) writer.member("fitted", fitted);
  return writer.end_object().take();
}

bool is_labelled(const Item& item) {
  return item.answer && *item.answer >= 0 && *item.answer < item.num_scenes();
}

[[noreturn]] void throw_nothing_to_fit(std::string_view rule) {
  throw Exception(
      ErrorCode::kInvalidArgument,
      fmt::format("[{}] no labelled item to fit on; give --fit FILE (the validation set)", rule));
}

}  // namespace

double BlindRule::expected_hit(std::span<const SceneView> scenes, int gold) const {
  return choose(scenes, 0) == gold ? 1 : 0;
}

ModalityPrior::ModalityPrior(const std::array<Modality, 4>& order) : order_(order) {
  for (std::size_t rank = 0; rank < order.size(); ++rank) {
    rank_[static_cast<std::size_t>(order[rank])] = static_cast<int>(rank);
  }
}

ModalityPrior::Fit ModalityPrior::fit(std::span<const Item> items) {
  std::array<Modality, 4> order = kModalities;
  Fit best;
  do {
    const ModalityPrior prior(order);
    Fit fit{order, 0, 0};
    for (const Item& item : items) {
      if (!is_labelled(item)) continue;
      ++fit.total;
      fit.correct += prior.choose(scene_views(item), 0) == item.answer ? 1 : 0;
    }
    if (fit.total == 0) throw_nothing_to_fit(kModalityPrior);
    if (best.total == 0 || fit.correct > best.correct) best = fit;
  } while (std::next_permutation(order.begin(), order.end()));
  return best;
}

std::optional<int> ModalityPrior::choose(std::span<const SceneView> scenes, std::uint64_t) const {
  if (scenes.empty()) return std::nullopt;
  const auto best =
      std::min_element(scenes.begin(), scenes.end(), [&](const SceneView& a, const SceneView& b) {
        return rank_[static_cast<std::size_t>(a.modality)] <
               rank_[static_cast<std::size_t>(b.modality)];
      });
  return static_cast<int>(best - scenes.begin());
}

std::string ModalityPrior::note() const {
  std::string text;
  for (const Modality modality : order_) {
    if (!text.empty()) text += " > ";
    text += to_string(modality);
  }
  return text;
}

std::string ModalityPrior::description_json() const {
  return describe(kModalityPrior, note());
}

PositionPrior::PositionPrior(std::map<int, int> place_by_num_scenes)
    : place_by_num_scenes_(std::move(place_by_num_scenes)) {}

PositionPrior PositionPrior::fit(std::span<const Item> items) {
  std::map<int, std::map<int, int>> counts;  // number of scenes -> place -> items
  for (const Item& item : items) {
    if (is_labelled(item)) ++counts[item.num_scenes()][*item.answer];
  }
  if (counts.empty()) throw_nothing_to_fit(kPositionPrior);
  std::map<int, int> places;
  for (const auto& [num_scenes, by_place] : counts) {
    places[num_scenes] =
        std::max_element(by_place.begin(), by_place.end(), [](const auto& a, const auto& b) {
          return a.second < b.second;
        })->first;
  }
  return PositionPrior(std::move(places));
}

std::optional<int> PositionPrior::choose(std::span<const SceneView> scenes, std::uint64_t) const {
  if (scenes.empty()) return std::nullopt;
  const auto above = place_by_num_scenes_.upper_bound(static_cast<int>(scenes.size()));
  if (above == place_by_num_scenes_.begin()) return 0;
  return std::prev(above)->second;
}

std::string PositionPrior::note() const {
  std::string text;
  for (const auto& [num_scenes, place] : place_by_num_scenes_) {
    if (!text.empty()) text += ", ";
    text += fmt::format("{} of {}", scene_letter(place), num_scenes);
  }
  return text;
}

std::string PositionPrior::description_json() const {
  return describe(kPositionPrior, note());
}

std::optional<int> LongestCaption::choose(std::span<const SceneView> scenes, std::uint64_t) const {
  if (scenes.empty()) return std::nullopt;
  const auto longest =
      std::max_element(scenes.begin(), scenes.end(), [](const SceneView& a, const SceneView& b) {
        return num_characters(a.caption) < num_characters(b.caption);
      });
  return static_cast<int>(longest - scenes.begin());
}

std::string LongestCaption::description_json() const {
  return describe(kLongestCaption);
}

std::optional<int> AlwaysPlace::choose(std::span<const SceneView> scenes, std::uint64_t) const {
  if (place_ >= static_cast<int>(scenes.size())) return std::nullopt;
  return place_;
}

std::string AlwaysPlace::description_json() const {
  return describe(std::string(kAlways) + scene_letter(place_));
}

std::optional<int> Chance::choose(std::span<const SceneView> scenes, std::uint64_t seed) const {
  if (scenes.empty()) return std::nullopt;
  return static_cast<int>(Random(seed).below(scenes.size()));
}

double Chance::expected_hit(std::span<const SceneView> scenes, int) const {
  return scenes.empty() ? 0 : 1.0 / static_cast<double>(scenes.size());
}

std::string Chance::description_json() const {
  return describe(kChance);
}

std::vector<std::string> blind_rule_names() {
  std::vector<std::string> names = {std::string(kModalityPrior), std::string(kPositionPrior),
                                    std::string(kLongestCaption)};
  for (int place = 0; place < kMaxScenes; ++place) {
    names.push_back(std::string(kAlways) + scene_letter(place));
  }
  names.emplace_back(kChance);
  return names;
}

bool is_fitted_rule(std::string_view name) {
  return name == kModalityPrior || name == kPositionPrior;
}

std::unique_ptr<BlindRule> make_blind_rule(std::string_view name, std::span<const Item> fit_items) {
  if (name == kModalityPrior) {
    return std::make_unique<ModalityPrior>(ModalityPrior::fit(fit_items).order);
  }
  if (name == kPositionPrior) return std::make_unique<PositionPrior>(PositionPrior::fit(fit_items));
  if (name == kLongestCaption) return std::make_unique<LongestCaption>();
  if (name == kChance) return std::make_unique<Chance>();
  for (int place = 0; place < kMaxScenes; ++place) {
    if (name.size() == kAlways.size() + 1 && name.starts_with(kAlways) &&
        name.back() == scene_letter(place)) {
      return std::make_unique<AlwaysPlace>(place);
    }
  }
  const std::vector<std::string> names = blind_rule_names();
  const std::optional<std::string> nearest = find_nearest(name, names);
  throw Exception(ErrorCode::kInvalidArgument,
                  fmt::format("[blind] no rule '{}'{}", name,
                              nearest ? fmt::format("; did you mean '{}'?", *nearest)
                                      : fmt::format("; there are {}", fmt::join(names, ", "))));
}

std::vector<BlindRow> blind_rows(std::span<const Item> items, std::span<const Item> fit_items) {
  const bool can_fit = std::any_of(fit_items.begin(), fit_items.end(), is_labelled);
  const bool has_captions = std::all_of(items.begin(), items.end(), [](const Item& item) {
    return std::none_of(item.scenes.begin(), item.scenes.end(),
                        [](const Scene& scene) { return scene.captions.empty(); });
  });
  std::vector<BlindRow> rows;
  for (const std::string& name : blind_rule_names()) {
    BlindRow row;
    row.name = name;
    if (is_fitted_rule(name) && !can_fit) {
      row.is_available = false;
      row.note = "not fitted";
      rows.push_back(std::move(row));
      continue;
    }
    const std::unique_ptr<BlindRule> rule = make_blind_rule(name, fit_items);
    if (rule->needs_captions() && !has_captions) {
      row.is_available = false;
      row.note = "no captions";
      rows.push_back(std::move(row));
      continue;
    }
    row.note = rule->note();
    for (std::size_t i = 0; i < items.size(); ++i) {
      if (!is_labelled(items[i])) continue;
      row.observations.push_back({i, rule->expected_hit(scene_views(items[i]), *items[i].answer)});
    }
    rows.push_back(std::move(row));
  }
  return rows;
}

}  // namespace contra4::scoring
