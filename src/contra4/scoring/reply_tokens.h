// A reply as words, letters and marks: what choice_rule.cpp reads. Internal to scoring.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace contra4::scoring {

struct Token {
  enum class Kind : std::uint8_t { kWord, kMark, kNewline };
  std::string_view text;      // lower case in ASCII
  std::uint32_t classes = 0;  // of a word, as in reply_vocabulary.h
  int number = 0;             // of an ordinal or a number, from 1; 0: none
  int letter = -1;            // 0 for a word that is a lone "A", "a" or "A's"; "I" too
  Kind kind = Kind::kMark;
  bool is_upper = false;          // the letter was written as a capital
  bool touches_previous = false;  // no blank or line break before it

  bool is(std::uint32_t word_classes) const { return (classes & word_classes) != 0; }
  bool is_word() const { return kind == Kind::kWord; }
  bool is_newline() const { return kind == Kind::kNewline; }
  bool is_mark(std::string_view marks) const {
    return kind == Kind::kMark && marks.find(text[0]) != std::string_view::npos;
  }
};

// Plain text of a reply: letters in other dress (full-width, bold, circled) as ASCII, quotes,
// dashes and ideographic marks as ASCII marks, emphasis and known markup taken off, \boxed and
// <answer> as words, cut at an end-of-text token. Invalid UTF-8 becomes blanks.
std::string normalise_reply(std::string_view reply);

// Looks at the text it was made of, and at no other.
class ReplyTokens {
 public:
  explicit ReplyTokens(std::string_view normalised);
  ReplyTokens(const ReplyTokens&) = delete;
  ReplyTokens& operator=(const ReplyTokens&) = delete;
  ~ReplyTokens() = default;

  std::size_t size() const { return tokens_.size(); }
  // The token at `index`, or an empty line break beyond the last one.
  const Token& operator[](std::size_t index) const {
    return index < tokens_.size() ? tokens_[index] : end_;
  }

 private:
  std::string lower_;
  std::vector<Token> tokens_;
  Token end_;
};

}  // namespace contra4::scoring
