// When a reply counts as right. `choice` is the default; the others reproduce published scorers,
// quirks included, for comparison with published numbers.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "contra4/scoring/scene_view.h"

namespace contra4::scoring {

enum class ScoringRule {
  kChoice,     // exactly one scene is named, and it is the right one (choice_rule.h)
  kContains,   // "Scene B" occurs in the reply, whatever else does
  kPublished,  // as kContains; its text output is published_scores.h
  kWords,      // the older published scorer: generous, see is_right_by_words()
};

// "choice", "contains", "published", "words".
std::string_view to_string(ScoringRule rule);
std::optional<ScoringRule> parse_scoring_rule(std::string_view text);
std::vector<std::string> scoring_rule_names();

// `choice`: what the answerer decided, or what parse_choice() read; both `choice` and `gold` count
// places as shown. `reply` is the raw text.
bool is_right(ScoringRule rule, std::string_view reply, std::optional<int> choice, int gold,
              std::span<const SceneView> shown);

// The older scorer: right when the reply and one of the gold's words contain each other, either way
// round and without regard to case, or when the gold's capital letter occurs. Words of a place: its
// number, ordinal, number word, "scene b"; of the gold scene's modality: sound/audio,
// video/frames/clip, 3d/point cloud/model, image/picture/photo. An empty reply is the word "none",
// which holds "one": it is right for the first scene, as published.
// Source: artemisp/contra4-fork 9ce9dee, the scorer before src/evaluate.py; in our own words.
bool is_right_by_words(std::string_view reply, int gold, Modality gold_modality);

}  // namespace contra4::scoring
