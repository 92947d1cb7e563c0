#include "contra4/scoring/reply_reader.h"

#include <algorithm>
#include <bit>

#include "contra4/scoring/reply_vocabulary.h"

namespace contra4::scoring {

namespace {

constexpr int kNobodyLabel = 26;
constexpr int kBeyondLabel = 27;  // a number above the alphabet, or 0
constexpr int kSeveralLabel = 28;

constexpr LabelSet bit_of(int label) {
  return LabelSet{1} << label;
}

// How far a cue looks for its letter, in tokens: bounds the work per cue.
constexpr int kMaxFillers = 12;
constexpr int kMaxSentence = 40;
// Letters that a model takes for choices even when fewer scenes are shown.
constexpr int kUsualLetters = 4;

}  // namespace

std::optional<ParsedChoice> ReplyReader::read_fields_and_phrases() {
  collect_cues();
  if (fields_ != 0) return decide(fields_);
  if (phrases_ != 0) return decide(phrases_);
  return std::nullopt;
}

std::optional<ParsedChoice> ReplyReader::read_conclusions() const {
  return conclusions_ != 0 ? std::optional(decide(conclusions_)) : std::nullopt;
}

bool ReplyReader::is_label(std::size_t at) const {
  const Token& token = tokens_[at];
  if (token.letter < 0) return false;
  return token.letter != 'I' - 'A' || (token.is_upper && num_scenes_ > 'I' - 'A');
}

bool ReplyReader::is_usual_letter(int letter) const {
  return letter < std::max(num_scenes_, kUsualLetters);
}

ParsedChoice ReplyReader::decide(LabelSet labels) const {
  if (std::popcount(labels) > 1 || labels == bit_of(kSeveralLabel)) {
    return {std::nullopt, Reading::kSeveral};
  }
  const int label = std::countr_zero(labels);
  if (label >= num_scenes_) return {std::nullopt, Reading::kNone};
  return {label, Reading::kOne};
}

// "Scene B", "option (b)", "scene 2", "the second scene", a lone letter, or "none".
std::optional<Target> ReplyReader::target_at(std::size_t at) const {
  const Token& token = tokens_[at];
  if (!token.is_word()) return std::nullopt;
  if (token.is(kNoun)) {
    std::size_t next = at + 1;
    while (next < at + 4 && tokens_[next].is_mark("\"'([{:#-=<>")) ++next;
    if (is_label(next)) {
      // "in the scene a dog barks": the small letter is the article unless the phrase ends with it.
      const bool is_article = tokens_[next].letter == 0 && !tokens_[next].is_upper &&
                              tokens_[next + 1].is_word() && !tokens_[next + 1].is(kConnector);
      if (!is_article) return Target{tokens_[next].letter, next + 1, true};
    }
    std::size_t number = at + 1;
    if (tokens_[number].is_mark("#") || tokens_[number].text == "number") ++number;
    if (tokens_[number].is(kNumber) && !tokens_[number + 1].is(kNoun)) {
      const int place = tokens_[number].number;
      const int label = place >= 1 && place <= 26 ? place - 1 : kBeyondLabel;
      return Target{label, number + 1, true};
    }
    return std::nullopt;
  }
  if (token.is(kOrdinal) && tokens_[at + 1].is(kNoun) && !tokens_[at + 1].is(kAnswerNoun)) {
    return Target{token.number - 1, at + 2, true};
  }
  if (token.is(kNobody)) {
    // "cannot be A" is about A, "cannot be determined" is not.
    if (tokens_[at + 1].text == "be" && is_label(at + 2)) return std::nullopt;
    return Target{kNobodyLabel, at + 1, false};
  }
  if (token.is(kEverybody)) return Target{kSeveralLabel, at + 1, false};
  if (is_label(at)) return Target{token.letter, at + 1, false};
  return std::nullopt;
}

// The target at `at` or behind words and marks that may stand before one.
std::optional<Target> ReplyReader::target_after(std::size_t at) const {
  for (int skipped = 0; skipped <= kMaxFillers && at < tokens_.size(); ++skipped, ++at) {
    if (const std::optional<Target> target = target_at(at)) return target;
    const Token& token = tokens_[at];
    const bool is_filler = token.is_newline() || token.is(kFiller) || token.is_mark(":=\"'([{->#");
    if (!is_filler) return std::nullopt;
  }
  return std::nullopt;
}

Ending ReplyReader::ending_at(std::size_t at) const {
  while (tokens_[at].is_mark("\"')]}>")) ++at;
  const Token& token = tokens_[at];
  // "and A is quiet" is a sentence of its own, "and A" and "and A are" are not.
  const auto lists_another = [&](std::size_t next) {
    if (!tokens_[next].is(kNoun) && !is_label(next)) return false;
    const std::optional<Target> another = target_at(next);
    if (!another) return false;
    const Token& after = tokens_[another->end];
    return !after.is_word() || after.is(kConjunction) || after.text == "are";
  };
  if (token.is_newline()) return Ending::kClean;
  if (token.kind == Token::Kind::kMark) {
    if (token.is_mark("-") && token.touches_previous && tokens_[at + 1].touches_previous) {
      return Ending::kOpen;  // "B-flat"
    }
    return token.is_mark(",/&+|") && lists_another(at + 1) ? Ending::kList : Ending::kClean;
  }
  if (token.is(kConjunction)) {
    return lists_another(at + 1) ? Ending::kList : Ending::kClean;
  }
  return token.is(kReason | kContrast) ? Ending::kClean : Ending::kOpen;
}

// A capital letter that stands for a scene rather than for the article, an initial or a part of a
// word.
bool ReplyReader::is_lone_label(std::size_t at) const {
  const Token& token = tokens_[at];
  if (!is_label(at) || !is_usual_letter(token.letter)) return false;
  const Token& next = tokens_[at + 1];
  const Token* previous = at > 0 ? &tokens_[at - 1] : nullptr;
  if (previous != nullptr && previous->is_mark("(") && next.is_mark(")")) return true;
  if (!token.is_upper) return false;
  if (token.text.size() > 1) return true;  // "A's"
  if (previous != nullptr) {
    if (previous->is(kNumber)) return false;  // "20 C", "3 D"
    const bool is_joined = token.touches_previous && previous->touches_previous;
    if (is_joined && previous->is_mark("-.")) return false;  // "3-D", "U.S.A"
  }
  const bool joins_next = next.touches_previous && tokens_[at + 2].touches_previous;
  if (joins_next && next.is_mark("-")) return false;                                 // "D-shaped"
  if (joins_next && next.is_mark(".") && tokens_[at + 2].letter >= 0) return false;  // "D.C."
  if (token.letter != 0) return true;
  if (next.is_mark("\"")) return next.touches_previous;  // A "quiet" lake
  if (!next.is_word() || next.is(kConnector)) return true;
  return static_cast<unsigned char>(next.text[0]) >= 0xE3;  // scripts without an article
}

bool ReplyReader::has_before(std::size_t at, std::uint32_t classes, std::size_t distance) const {
  for (std::size_t back = 1; back <= distance && back <= at; ++back) {
    const Token& token = tokens_[at - back];
    if (token.is_newline() || token.is_mark(".!?;")) return false;
    if (token.is(classes)) return true;
  }
  return false;
}

// "answer": in quotes with a colon behind, as a key of JSON.
bool ReplyReader::is_quoted_key(std::size_t at) const {
  if (at == 0 || !tokens_[at + 1].is_mark("\"'") || !tokens_[at + 2].is_mark(":")) return false;
  std::size_t before = at - 1;
  if (before > 0 && tokens_[before].is(kFinal | kAdjective)) --before;
  return tokens_[before].is_mark("\"'");
}

LabelSet ReplyReader::read_immediate(std::size_t at) const {
  const std::optional<Target> target = target_after(at);
  if (!target) return 0;
  if (target->label == kNobodyLabel || target->label == kSeveralLabel) return bit_of(target->label);
  switch (ending_at(target->end)) {
    case Ending::kClean:
      return bit_of(target->label);
    case Ending::kList:
      return bit_of(kSeveralLabel);
    case Ending::kOpen:
      return 0;
  }
  return 0;
}

// What follows an answer noun: directly ("Answer: B"), or after a verb or colon later in the
// sentence
// ("The answer to the question is B", "The answer is not A but B").
LabelSet ReplyReader::read_cue(std::size_t at) const {
  if (const LabelSet found = read_immediate(at + 1)) return found;
  for (std::size_t i = at + 1; i < at + kMaxSentence && i < tokens_.size(); ++i) {
    const Token& token = tokens_[i];
    if (token.is_newline() || token.is_mark(".!;") || token.is(kAnswerNoun)) return 0;
    if (token.is_mark("?") && !tokens_[i + 1].is_mark("\"'")) return 0;
    if (token.is(kNegation | kNobody)) {  // "cannot be A": that verb brings no answer
      while (!tokens_[i + 1].is_newline() && !tokens_[i + 1].is(kCopula)) {
        if (!tokens_[i + 1].is(kFiller)) break;
        ++i;
      }
      if (tokens_[i + 1].is(kCopula)) ++i;
      continue;
    }
    const bool is_but = token.text == "but";
    if (!is_but && !token.is(kCopula) && !token.is_mark(":=")) continue;
    const std::size_t next = is_but && tokens_[i + 1].is(kContrast) ? i + 2 : i + 1;
    if (const LabelSet found = read_immediate(next)) return found;
  }
  return 0;
}

// "Scene B is the answer", "B would be correct".
bool ReplyReader::is_called_answer(const Target& target) const {
  std::size_t at = target.end;
  while (tokens_[at].is_mark("\"')]}")) ++at;
  if (!tokens_[at].is(kCopula) && tokens_[at].text != "would" && tokens_[at].text != "must") {
    return false;
  }
  for (int skipped = 0; skipped < kMaxFillers; ++skipped) {
    const Token& token = tokens_[++at];
    const Token& next = tokens_[at + 1];
    if (token.is(kAnswerNoun)) return true;
    if (token.is(kAdjective) && (!next.is_word() || next.is(kNoun | kAnswerNoun | kReason))) {
      return true;
    }
    if (!token.is(kFiller)) return false;
  }
  return false;
}

void ReplyReader::collect_cues() {
  for (std::size_t at = 0; at < tokens_.size(); ++at) {
    const Token& token = tokens_[at];
    if (!token.is_word()) continue;
    const Token& next = tokens_[at + 1];
    if (token.is(kField) && is_quoted_key(at)) {
      fields_ |= read_immediate(at + 1);
      continue;
    }
    if (const std::optional<Target> target = target_at(at);
        target && target->label < kNobodyLabel && (target->is_named || is_lone_label(at)) &&
        !has_before(at, kCondition | kNegation, 3) && is_called_answer(*target)) {
      phrases_ |= bit_of(target->label);
    }
    const bool is_conditional = has_before(at, kCondition, 4);
    if (token.is(kAnswerNoun) && !(token.is(kNoun) && is_label(at + 1))) {
      const bool is_verb = at > 0 && tokens_[at - 1].is(kActor) && !token.is(kFinal);
      if (is_verb || is_conditional) continue;
      const bool is_final = token.is(kFinal) || has_before(at, kFinal, 2);
      (is_final ? fields_ : phrases_) |= read_cue(at);
    } else if (token.is(kFinal) && next.is_mark(":")) {
      fields_ |= read_immediate(at + 1);
    } else if (token.is(kAdjective) && next.is(kNoun) && !next.is(kAnswerNoun) && !is_conditional) {
      phrases_ |= read_cue(at + 1);
    } else if (token.is(kChooseVerb) && !is_conditional && !has_before(at, kNegation, 3)) {
      if (token.text != "go" || next.text == "with" || next.text == "for") {
        phrases_ |= read_immediate(at + 1);
      }
    } else if (token.is(kConclusion) && !is_conditional && !has_before(at, kNegation, 3)) {
      std::size_t from = at + 1;
      if (tokens_[from].is_mark(",")) ++from;
      const std::optional<Target> target = target_after(from);
      // "so a ..." hardly ever names the scene.
      const bool is_article =
          target && !target->is_named && target->label == 0 && !tokens_[target->end - 1].is_upper;
      if (!is_article) conclusions_ |= read_immediate(from);
    }
  }
}

// Letters that head an item of a list: "A) a quiet lake  B) a loud street".
LabelSet ReplyReader::enumerated_labels() const {
  LabelSet labels = 0;
  bool is_start = true;
  for (std::size_t at = 0; at < tokens_.size(); ++at) {
    const Token& token = tokens_[at];
    if (token.is_newline() || token.is_mark(".;,")) {
      is_start = true;
      continue;
    }
    if (token.kind == Token::Kind::kMark) continue;  // a bullet, an opening bracket
    const std::optional<Target> target = is_start ? target_at(at) : std::nullopt;
    is_start = false;
    if (!target || target->label >= num_scenes_) continue;
    std::size_t after = target->end;
    if (tokens_[after].is_mark("\"'")) ++after;
    if (tokens_[after].is_mark(":).]-=")) labels |= bit_of(target->label);
  }
  return labels;
}

bool ReplyReader::is_nothing_but_labels(LabelSet& labels) const {
  for (std::size_t at = 0; at < tokens_.size();) {
    const Token& token = tokens_[at];
    if (const std::optional<Target> target = target_at(at);
        target && target->label <= kBeyondLabel) {
      labels |= bit_of(target->label);
      at = target->end;
      continue;
    }
    if (token.is_word() && !token.is(kNoun | kConjunction) && token.text != "the") return false;
    ++at;
  }
  return labels != 0;
}

// The whole reply, a line that is nothing but one scene, or a scene at the very start that
// something is said about only behind a stop or a "because".
std::optional<ParsedChoice> ReplyReader::read_lines() const {
  LabelSet labels = 0;
  if (is_nothing_but_labels(labels)) return decide(labels);

  labels = 0;
  for (std::size_t at = 0; at < tokens_.size(); ++at) {
    // One line each time round.
    std::optional<Target> only;
    bool is_sole = true;
    for (; at < tokens_.size() && !tokens_[at].is_newline(); ++at) {
      if (!is_sole) continue;
      if (tokens_[at].kind == Token::Kind::kMark) {
        // "Scene A:" heads what follows.
        if (only && tokens_[at].is_mark(":")) is_sole = false;
        continue;
      }
      const std::optional<Target> target = only ? std::nullopt : target_at(at);
      if (target && target->label < kNobodyLabel && is_usual_letter(target->label)) {
        only = target;
        at = target->end - 1;
      } else {
        is_sole = false;
      }
    }
    if (only && is_sole) labels |= bit_of(only->label);
  }

  std::size_t first = 0;
  while (first < tokens_.size() && !tokens_[first].is_word()) ++first;
  const std::optional<Target> target = target_at(first);
  if (target && target->label < kNobodyLabel && is_usual_letter(target->label)) {
    std::size_t at = target->end;
    bool is_closed = false;
    while (tokens_[at].is_mark("\"')]}")) is_closed |= tokens_[at++].is_mark(")]}");
    const Token& token = tokens_[at];
    const Token& next = tokens_[at + 1];
    const bool joins_next = token.touches_previous && next.touches_previous;
    const bool is_stop =
        is_closed || (token.is_mark(".:;!-") && !(joins_next && token.is_mark("-")) &&
                      !(joins_next && token.is_mark(".") && next.letter >= 0));
    const bool is_reason = token.is(kReason) || (token.is_mark(",") && next.is(kReason));
    if (is_reason || (is_stop && std::popcount(enumerated_labels()) < 2)) {
      labels |= bit_of(target->label);
    }
  }
  return labels != 0 ? std::optional(decide(labels)) : std::nullopt;
}

std::optional<ParsedChoice> ReplyReader::read_mentions() const {
  LabelSet named = 0;
  LabelSet meant = 0;  // without those behind "not", "than" and "if"
  for (std::size_t at = 0; at < tokens_.size(); ++at) {
    const std::optional<Target> target = target_at(at);
    if (!target || target->label == kNobodyLabel || target->label == kSeveralLabel) continue;
    if (!target->is_named && !is_lone_label(at)) continue;
    named |= bit_of(target->label);
    const bool is_meant = !has_before(at, kNegation, 2) && !has_before(at, kCondition, 4);
    if (is_meant) meant |= bit_of(target->label);
    if (target->is_named) {
      at = target->end - 1;
      // "scene a or b": the second letter, small as it is, continues the first.
      if (ending_at(target->end) == Ending::kList) named |= bit_of(kSeveralLabel);
    }
  }
  if (named == 0) return std::nullopt;
  if (std::popcount(named) == 1 && meant == 0) return ParsedChoice{std::nullopt, Reading::kNone};
  return decide(named);
}

}  // namespace contra4::scoring
