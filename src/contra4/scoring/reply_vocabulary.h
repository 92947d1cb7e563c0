// The words the choice rule knows. Internal to scoring.
#pragma once

#include <cstdint>
#include <string_view>

namespace contra4::scoring {

// What a word means to the choice rule; a word may be several things.
enum WordClass : std::uint32_t {
  kNoun = 1U << 0,          // "scene", "option": what a letter or number after it belongs to
  kAnswerNoun = 1U << 1,    // "answer", "choice": what a verb or colon after it fills
  kAdjective = 1U << 2,     // "correct", "best": with a noun after it, as kAnswerNoun
  kChooseVerb = 1U << 3,    // "choose", "pick"
  kConclusion = 1U << 4,    // "therefore", "it's", "think"
  kCopula = 1U << 5,        // "is", "be"
  kFiller = 1U << 6,        // may stand between a cue and its letter
  kConnector = 1U << 7,     // cannot follow an article: "is", "because", "the"
  kReason = 1U << 8,        // begins a reason: "because", "since"
  kContrast = 1U << 9,      // begins what was not chosen: "over", "rather", "not"
  kNegation = 1U << 10,     // "not", "neither", "than": the scene after it is not the one meant
  kConjunction = 1U << 11,  // "and", "or"
  kNobody = 1U << 12,       // "none", "unknown": an answer that is no scene
  kEverybody = 1U << 13,    // "both", "all"
  kOrdinal = 1U << 14,      // "first", "2nd"
  kNumber = 1U << 15,       // "two"; digits are found without the table
  kCondition = 1U << 16,    // "if", "whether": what follows is not said
  kActor = 1U << 17,        // "to", "please": "answer" after it is a verb
  kField = 1U << 18,        // its name in quotes makes a JSON value an answer
  kFinal = 1U << 19,        // "final", "boxed": makes an answer noun an answer field
};

struct WordEntry {
  std::string_view word;  // lower case
  std::uint32_t classes = 0;
  int number = 0;  // of kOrdinal and kNumber, from 1
};

// Null for a word without meaning here.
const WordEntry* find_word(std::string_view lower);

// What a run of ideographs, kana or Hangul means: those scripts have no blanks, so parts of it
// count.
std::uint32_t ideograph_classes(std::string_view run);

}  // namespace contra4::scoring
