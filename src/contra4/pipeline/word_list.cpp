#include "contra4/pipeline/word_list.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "contra4/base/error.h"

namespace contra4::embedded {
extern const std::string_view filter_words;
}  // namespace contra4::embedded

namespace contra4::pipeline {

namespace {

constexpr std::string_view kSpace = " \t\r\n";

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

bool is_word_byte(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return byte >= 0x80 || (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z');
}

bool stands_alone(std::string_view text, std::size_t begin, std::size_t end) {
  return (begin == 0 || !is_word_byte(text[begin - 1])) &&
         (end == text.size() || !is_word_byte(text[end]));
}

}  // namespace

std::string_view default_word_list() {
  return embedded::filter_words;
}

std::vector<std::string> parse_word_list(std::string_view text, std::string_view what) {
  constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
  if (text.starts_with(kByteOrderMark)) text.remove_prefix(kByteOrderMark.size());
  std::vector<std::string> phrases;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    const std::size_t first = line.find_first_not_of(kSpace);
    if (first == std::string_view::npos || line[first] == '#') continue;
    line = line.substr(first, line.find_last_not_of(kSpace) + 1 - first);
    std::string phrase(line);
    std::transform(phrase.begin(), phrase.end(), phrase.begin(), lower);
    if (std::find(phrases.begin(), phrases.end(), phrase) == phrases.end()) {
      phrases.push_back(std::move(phrase));
    }
  }
  if (phrases.empty()) {
    throw Exception(ErrorCode::kInvalidArgument,
                    fmt::format("{}: no words in it; a phrase a line is wanted", what));
  }
  return phrases;
}

WordList::WordList(std::vector<std::string> phrases, WordMatch match)
    : phrases_(std::move(phrases)), match_(match) {
  for (std::uint32_t i = 0; i < phrases_.size(); ++i) {
    CONTRA4_CHECK(!phrases_[i].empty(), "an empty phrase");
    by_first_byte_[static_cast<unsigned char>(phrases_[i].front())].push_back(i);
  }
}

template <class Visit>
void WordList::find(std::string_view question, Visit visit) const {
  std::string text(question);
  std::transform(text.begin(), text.end(), text.begin(), lower);
  for (std::size_t at = 0; at < text.size(); ++at) {
    for (const std::uint32_t index : by_first_byte_[static_cast<unsigned char>(text[at])]) {
      const std::string& phrase = phrases_[index];
      if (text.compare(at, phrase.size(), phrase) != 0) continue;
      if (match_ == WordMatch::kWholeWords && !stands_alone(text, at, at + phrase.size())) continue;
      if (!visit(index)) return;
    }
  }
}

bool WordList::has_hit(std::string_view question) const {
  bool has_hit = false;
  find(question, [&](std::uint32_t) {
    has_hit = true;
    return false;
  });
  return has_hit;
}

std::vector<std::string_view> WordList::hits(std::string_view question) const {
  std::vector<bool> is_hit(phrases_.size());
  find(question, [&](std::uint32_t index) {
    is_hit[index] = true;
    return true;
  });
  std::vector<std::string_view> found;
  for (std::size_t i = 0; i < phrases_.size(); ++i) {
    if (is_hit[i]) found.emplace_back(phrases_[i]);
  }
  return found;
}

}  // namespace contra4::pipeline
