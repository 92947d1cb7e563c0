// Phrases that a question must not hold.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace contra4::pipeline {

// The lines of filter_words.txt, which is compiled in.
std::string_view default_word_list();

// A phrase a line; "#" begins a line of comment; white space around a phrase does not count. Throws
// kInvalidArgument for a list without any phrase; `what` names it.
std::vector<std::string> parse_word_list(std::string_view text, std::string_view what);

// How a phrase has to stand in a question. Letters of ASCII count without regard to case.
enum class WordMatch {
  kAnywhere,    // "hear" is in "heart"
  kWholeWords,  // no letter, digit or byte beyond ASCII touches the phrase
};

class WordList {
 public:
  WordList(std::vector<std::string> phrases, WordMatch match);

  bool has_hit(std::string_view question) const;
  // Every phrase that the question holds, in the order of the list.
  std::vector<std::string_view> hits(std::string_view question) const;
  const std::vector<std::string>& phrases() const { return phrases_; }

 private:
  // Calls `visit(index)` for every hit until it returns false.
  template <class Visit>
  void find(std::string_view question, Visit visit) const;

  std::vector<std::string> phrases_;  // lower case
  WordMatch match_;
  std::array<std::vector<std::uint32_t>, 256> by_first_byte_;
};

}  // namespace contra4::pipeline
