// The ways in which a reply may name scenes, one method each; choice_rule.cpp tries them in turn.
// Internal to scoring.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "contra4/scoring/choice_rule.h"
#include "contra4/scoring/reply_tokens.h"

namespace contra4::scoring {

// Places of scenes as a set, with bits above them for answers that are no scene.
using LabelSet = std::uint32_t;

struct Target {
  int label = 0;
  std::size_t end = 0;    // the token after it
  bool is_named = false;  // "Scene B", "second option", not the letter alone
};

enum class Ending {
  kClean,  // the answer ends here, or a reason begins
  kList,   // another letter follows: "A or B"
  kOpen,   // the sentence goes on about it: "Scene B is louder than"
};

// Every method takes time linear in the tokens, which must outlive the reader.
class ReplyReader {
 public:
  ReplyReader(const ReplyTokens& tokens, int num_scenes)
      : tokens_(tokens), num_scenes_(num_scenes) {}

  // Empty: the reply does not answer in this way.
  std::optional<ParsedChoice> read_fields_and_phrases();
  std::optional<ParsedChoice> read_lines() const;
  // Of what read_fields_and_phrases() came by.
  std::optional<ParsedChoice> read_conclusions() const;
  std::optional<ParsedChoice> read_mentions() const;

 private:
  ParsedChoice decide(LabelSet labels) const;

  bool is_label(std::size_t at) const;
  bool is_usual_letter(int letter) const;
  std::optional<Target> target_at(std::size_t at) const;
  std::optional<Target> target_after(std::size_t at) const;
  Ending ending_at(std::size_t at) const;
  bool is_lone_label(std::size_t at) const;
  bool has_before(std::size_t at, std::uint32_t classes, std::size_t distance) const;

  void collect_cues();
  LabelSet read_cue(std::size_t at) const;
  LabelSet read_immediate(std::size_t at) const;
  bool is_called_answer(const Target& target) const;
  bool is_quoted_key(std::size_t at) const;

  LabelSet enumerated_labels() const;
  bool is_nothing_but_labels(LabelSet& labels) const;

  const ReplyTokens& tokens_;
  int num_scenes_;
  LabelSet fields_ = 0;
  LabelSet phrases_ = 0;
  LabelSet conclusions_ = 0;
};

}  // namespace contra4::scoring
