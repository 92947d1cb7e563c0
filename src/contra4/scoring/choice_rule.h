// Which scene a reply names. docs/choice-rule.md holds the rule as a table of replies.
//
// A reply names a scene only when its words can be read in one way. Reasoning is taken off first
// (reasoning.h); then ways of answering are tried from the plainest to the weakest, and the first
// one that the reply uses decides, be it for one scene or for several:
//   1. an answer field: \boxed{B}, <answer>B</answer>, {"answer": "B"}, "Final answer: B"
//   2. an answer phrase: "Answer: B", "the answer is B", "I choose Scene B", "B is correct"
//   3. the whole reply, its first or its last line: "B", "(b)", "B) because", "**Scene C**"
//   4. a conclusion: "so it's B", "therefore, Scene B."
//   5. the scenes named anywhere, and lone capital letters but the article: "I hear rain in Scene
//   B"
//   6. the choice's own words: its whole caption, or a modality that only one scene has
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "contra4/scoring/scene_view.h"

namespace contra4::scoring {

enum class Reading {
  kOne,      // exactly one of the scenes shown
  kNone,     // words, but no scene; also a letter beyond those shown
  kSeveral,  // more than one scene, without saying which is the answer
  kEmpty,    // nothing at all, or nothing but reasoning
};

std::string_view to_string(Reading reading);  // "one", "none", "several", "empty"

struct ParsedChoice {
  std::optional<int> index;  // place as shown, in [0, num_scenes); set for kOne alone
  Reading reading = Reading::kEmpty;
};

// Any bytes; never throws but for memory; time linear in the reply. num_scenes in [1, 26].
ParsedChoice parse_choice(std::string_view reply, int num_scenes);
// With the choices' own words as last resort.
ParsedChoice parse_choice(std::string_view reply, std::span<const SceneView> shown);

}  // namespace contra4::scoring
