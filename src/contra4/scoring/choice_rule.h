// Which scene a reply names. docs/choice-rule.md holds the rule as a table of replies.
//
// A reply names a scene only when its words can be read in one way. Ways are tried from the
// plainest to the weakest, and the first that says anything decides, be it one scene or several:
//   1. an answer field or phrase: {"answer": "B"}, \boxed{B}, "Answer: B", "the answer is B"
//   2. the reply is, begins or ends with a lone letter: "B", "(b)", "B) because", "**Scene C**"
//   3. the scenes named anywhere: "I would pick Scene B"; two of them are no answer
//   4. lone capital letters, without the article and the pronoun
//   5. the choice's own words: its whole caption, or a modality only one scene has
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

// The reply without its reasoning: <think>, <thinking>, <thought>, <reasoning>, <reflection>,
// <scratchpad> and <analysis> blocks, [THINK], <|begin_of_thought|>, and channels
// (<|channel|>analysis<|message|>...<|channel|>final<|message|>). A block that was never closed
// takes all that follows it; one that was never opened (the prompt did) all that precedes it.
std::string strip_reasoning(std::string_view reply);

// Any bytes; never throws but for memory; time linear in the reply. num_scenes in [1, 26].
ParsedChoice parse_choice(std::string_view reply, int num_scenes);
// With the choices' own words as last resort.
ParsedChoice parse_choice(std::string_view reply, std::span<const SceneView> shown);

}  // namespace contra4::scoring
