#include "contra4/scoring/choice_rule.h"

#include <algorithm>
#include <array>
#include <vector>

#include "contra4/base/error.h"
#include "contra4/scoring/choice_words.h"
#include "contra4/scoring/reasoning.h"
#include "contra4/scoring/reply_reader.h"
#include "contra4/scoring/reply_tokens.h"

namespace contra4::scoring {

namespace {

ParsedChoice one_of(std::span<const int> places) {
  if (places.size() == 1) return {places[0], Reading::kOne};
  return {std::nullopt, places.empty() ? Reading::kNone : Reading::kSeveral};
}

ParsedChoice read_normalised(std::string_view text, int num_scenes,
                             std::span<const SceneView> shown) {
  const ReplyTokens tokens(text);
  bool is_empty = true;
  for (std::size_t at = 0; at < tokens.size(); ++at) is_empty &= tokens[at].is_newline();
  if (is_empty) return {std::nullopt, Reading::kEmpty};

  ReplyReader reader(tokens, num_scenes);
  if (const auto choice = reader.read_fields_and_phrases()) return *choice;
  if (const auto choice = reader.read_lines()) return *choice;
  if (const auto choice = reader.read_conclusions()) return *choice;
  const std::string words = shown.empty() ? std::string() : squash(tokens);
  const std::vector<int> captions = captions_in(words, shown);
  // A caption may hold letters of its own, so a reply that is one is not searched for them.
  if (captions.size() == 1 &&
      squash(shown[static_cast<std::size_t>(captions[0])].caption) == words) {
    return one_of(captions);
  }
  if (const auto choice = reader.read_mentions()) return *choice;
  if (!captions.empty()) return one_of(captions);
  return one_of(modality_named(tokens, shown));
}

// Where a model that was not stopped begins to ask itself: a later line "Question:". npos: nowhere.
std::size_t find_next_turn(std::string_view text) {
  static constexpr std::array<std::string_view, 6> kTurns = {
      "question:", "q:", "user:", "human:", "input:", "instruction:"};
  bool has_words = false;
  for (std::size_t line = 0; line < text.size();) {
    const std::size_t end = std::min(text.find('\n', line), text.size());
    std::size_t at = line;
    while (at < end && (text[at] == ' ' || text[at] == '#' || text[at] == '-')) ++at;
    constexpr std::size_t kLongestTurn = 16;
    std::string head(text.substr(at, std::min(kLongestTurn, end - at)));
    std::transform(head.begin(), head.end(), head.begin(),
                   [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
    const auto begins = [&](std::string_view turn) { return head.starts_with(turn); };
    if (has_words && std::any_of(kTurns.begin(), kTurns.end(), begins)) return line;
    has_words |= at < end;
    line = end + 1;
  }
  return std::string_view::npos;
}

ParsedChoice read_choice(std::string_view reply, int num_scenes, std::span<const SceneView> shown) {
  CONTRA4_CHECK(num_scenes >= 1 && num_scenes <= 26, "number of scenes out of range");
  const std::string text = normalise_reply(strip_reasoning(reply));
  if (const std::size_t turn = find_next_turn(text); turn != std::string_view::npos) {
    const ParsedChoice before =
        read_normalised(std::string_view(text).substr(0, turn), num_scenes, shown);
    if (before.index) return before;
  }
  return read_normalised(text, num_scenes, shown);
}

}  // namespace

std::string_view to_string(Reading reading) {
  switch (reading) {
    case Reading::kOne:
      return "one";
    case Reading::kNone:
      return "none";
    case Reading::kSeveral:
      return "several";
    case Reading::kEmpty:
      return "empty";
  }
  CONTRA4_CHECK(false, "reading out of range");
}

ParsedChoice parse_choice(std::string_view reply, int num_scenes) {
  return read_choice(reply, num_scenes, {});
}

ParsedChoice parse_choice(std::string_view reply, std::span<const SceneView> shown) {
  return read_choice(reply, static_cast<int>(shown.size()), shown);
}

}  // namespace contra4::scoring
