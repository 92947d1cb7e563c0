#include "contra4/pipeline/scene_move.h"

#include <algorithm>
#include <optional>

#include "contra4/base/error.h"
#include "contra4/data/item.h"

namespace contra4::pipeline {

namespace {

constexpr std::string_view kScene = "Scene ";

bool is_word_byte(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return byte >= 0x80 || (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

// A capital letter that stands alone; 0 for A. Empty for others.
std::optional<int> lone_letter(std::string_view text, std::size_t at) {
  if (at >= text.size() || text[at] < 'A' || text[at] > 'Z') return std::nullopt;
  if (at > 0 && is_word_byte(text[at - 1])) return std::nullopt;
  if (at + 1 < text.size() && (is_word_byte(text[at + 1]) || text[at + 1] == '\'')) {
    return std::nullopt;
  }
  return text[at] - 'A';
}

bool begins_sentence(std::string_view text, std::size_t at) {
  const std::size_t before = text.substr(0, at).find_last_not_of(" \t\r\n\"'");
  return before == std::string_view::npos ||
         std::string_view(".!?:;").find(text[before]) != std::string_view::npos;
}

// "Scene " or "scene " ends just before.
bool follows_scene(std::string_view text, std::size_t at) {
  if (at < kScene.size()) return false;
  const std::string_view word = text.substr(at - kScene.size(), kScene.size());
  return (word[0] == 'S' || word[0] == 's') && word.substr(1) == kScene.substr(1);
}

int place_after(const scoring::SceneOrder& order, int scene) {
  return static_cast<int>(std::find(order.begin(), order.end(), scene) - order.begin());
}

// What follows the letter that the answer begins with; empty where it does not begin with one.
std::optional<std::string_view> explanation_of(std::string_view answer, int old_place) {
  const std::size_t at = answer.starts_with(kScene) ? kScene.size() : 0;
  if (lone_letter(answer, at) != old_place) return std::nullopt;
  const std::string_view rest = answer.substr(at + 1);
  // "A dog barks" begins with an article.
  const bool is_label =
      at > 0 || rest.empty() || std::string_view(".,:;)").find(rest[0]) != std::string_view::npos;
  return is_label ? std::optional(rest) : std::nullopt;
}

// With scenes named as they are after the move; empty where a letter may mean a scene and does not
// say so.
std::optional<std::string> moved_explanation(std::string_view text,
                                             const scoring::SceneOrder& order) {
  std::string moved(text);
  for (std::size_t at = 0; at < text.size(); ++at) {
    const auto letter = lone_letter(text, at);
    if (!letter || *letter >= static_cast<int>(order.size())) continue;
    if (follows_scene(text, at)) {
      moved[at] = scene_letter(place_after(order, *letter));
    } else if (*letter > 0 || !begins_sentence(text, at)) {
      return std::nullopt;
    }
  }
  return moved;
}

}  // namespace

scoring::SceneOrder moved_order(int num_scenes, int from, int to) {
  CONTRA4_CHECK(from >= 0 && from < num_scenes && to >= 0 && to < num_scenes,
                "a place beyond the scenes");
  scoring::SceneOrder order;
  for (int scene = 0; scene < num_scenes; ++scene) {
    if (scene != from) order.push_back(scene);
  }
  order.insert(order.begin() + to, from);
  return order;
}

std::vector<std::size_t> list_order(const scoring::SceneOrder& order) {
  const auto all = scoring::all_orders(static_cast<int>(order.size()));
  std::vector<std::size_t> entries;
  for (const scoring::SceneOrder& shown : all) {
    scoring::SceneOrder before;  // the same showing in the old item's scenes
    for (const int scene : shown) before.push_back(order[static_cast<std::size_t>(scene)]);
    entries.push_back(
        static_cast<std::size_t>(std::lower_bound(all.begin(), all.end(), before) - all.begin()));
  }
  return entries;
}

std::string moved_answer(std::string_view answer, const scoring::SceneOrder& order, int old_place) {
  const int place = place_after(order, old_place);
  if (place == old_place && parse_gold_answer(answer) == place && scoring::is_file_order(order)) {
    return std::string(answer);
  }
  constexpr std::string_view kLabel = "Answer:";
  if (answer.starts_with(kLabel)) {
    answer.remove_prefix(kLabel.size());
    answer.remove_prefix(std::min(answer.find_first_not_of(' '), answer.size()));
  }
  std::string name = scene_name(place);
  const auto explanation = explanation_of(answer, old_place);
  if (!explanation) return name;
  const auto moved = moved_explanation(*explanation, order);
  if (!moved) return name;
  const std::string text = name + *moved;
  return parse_gold_answer(text) == place ? text : name;
}

}  // namespace contra4::pipeline
