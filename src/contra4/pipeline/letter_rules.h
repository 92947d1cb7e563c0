// How the published scripts read a letter out of a model's words. Three scripts have three rules;
// kept for --compat, so that the published files come out. Everything else reads replies with
// scoring/choice_rule.h.
// Source: artemisp/contra4-fork 8492529, src/data_generation; in our own words.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace contra4::pipeline {

// All look at the text before the first full stop only, and at the capital letters A to D only,
// wherever they stand ("A man walks" names A).
enum class LetterRule {
  kVerify,   // the one letter that occurs
  kFilter,   // the word "Answer" is taken out; then "Scene X" at the start, the one "Scene X" that
             // occurs, the one letter that occurs
  kBalance,  // as kFilter, but "Answer" stays, with its A
};

// 0 for A to 3 for D, whatever the number of scenes; empty where the rule finds no letter or
// several.
std::optional<int> read_letter(std::string_view reply, LetterRule rule);

// What the script keeps in place of the reply: "Scene B", or the words that it looked at. Balance
// keeps an empty text instead of those words.
std::string formatted_answer(std::string_view reply, LetterRule rule);

// What step 4 hands to its rule: the first line up to "</s>", without white space around it.
std::string_view published_reply_line(std::string_view generated);

}  // namespace contra4::pipeline
