#include "contra4/scoring/scoring_rule.h"

#include <algorithm>
#include <array>
#include <utility>

#include "contra4/base/error.h"

namespace contra4::scoring {

namespace {

constexpr std::array<std::pair<std::string_view, ScoringRule>, 4> kRules = {{
    {"choice", ScoringRule::kChoice},
    {"contains", ScoringRule::kContains},
    {"published", ScoringRule::kPublished},
    {"words", ScoringRule::kWords},
}};

constexpr std::array<std::array<std::string_view, 4>, kMaxScenes> kPlaceWords = {{
    {"1", "first", "one", "scene a"},
    {"2", "second", "two", "scene b"},
    {"3", "third", "three", "scene c"},
    {"4", "fourth", "four", "scene d"},
}};

std::span<const std::string_view> modality_words(Modality modality) {
  static constexpr std::array<std::string_view, 2> kAudio = {"sound", "audio"};
  static constexpr std::array<std::string_view, 3> kVideo = {"video", "frames", "clip"};
  static constexpr std::array<std::string_view, 3> kPointCloud = {"3d", "point cloud", "model"};
  static constexpr std::array<std::string_view, 3> kImage = {"image", "picture", "photo"};
  switch (modality) {
    case Modality::kAudio:
      return kAudio;
    case Modality::kVideo:
      return kVideo;
    case Modality::kPointCloud:
      return kPointCloud;
    case Modality::kImage:
      return kImage;
  }
  CONTRA4_CHECK(false, "modality out of range");
}

}  // namespace

std::string_view to_string(ScoringRule rule) {
  for (const auto& [name, value] : kRules) {
    if (value == rule) return name;
  }
  CONTRA4_CHECK(false, "scoring rule out of range");
}

std::optional<ScoringRule> parse_scoring_rule(std::string_view text) {
  for (const auto& [name, value] : kRules) {
    if (name == text) return value;
  }
  return std::nullopt;
}

std::vector<std::string> scoring_rule_names() {
  std::vector<std::string> names;
  for (const auto& rule : kRules) names.emplace_back(rule.first);
  return names;
}

bool is_right(ScoringRule rule, std::string_view reply, std::optional<int> choice, int gold,
              std::span<const SceneView> shown) {
  CONTRA4_CHECK(gold >= 0 && gold < static_cast<int>(shown.size()), "gold scene is not shown");
  switch (rule) {
    case ScoringRule::kChoice:
      return choice == gold;
    case ScoringRule::kContains:
    case ScoringRule::kPublished:
      return reply.find(scene_name(gold)) != std::string_view::npos;
    case ScoringRule::kWords:
      return is_right_by_words(reply, gold, shown[static_cast<std::size_t>(gold)].modality);
  }
  CONTRA4_CHECK(false, "scoring rule out of range");
}

bool is_right_by_words(std::string_view reply, int gold, Modality gold_modality) {
  CONTRA4_CHECK(gold >= 0 && gold < kMaxScenes, "gold scene out of range");
  if (reply.find(scene_letter(gold)) != std::string_view::npos) return true;
  std::string lower(reply.empty() ? std::string_view("none") : reply);
  std::transform(lower.begin(), lower.end(), lower.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  const auto contain_each_other = [&](std::string_view word) {
    return lower.find(word) != std::string::npos || word.find(lower) != std::string_view::npos;
  };
  const auto& places = kPlaceWords[static_cast<std::size_t>(gold)];
  const auto modalities = modality_words(gold_modality);
  return std::any_of(places.begin(), places.end(), contain_each_other) ||
         std::any_of(modalities.begin(), modalities.end(), contain_each_other);
}

}  // namespace contra4::scoring
