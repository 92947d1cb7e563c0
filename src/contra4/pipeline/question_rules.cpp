#include "contra4/pipeline/question_rules.h"

#include <algorithm>
#include <array>
#include <cctype>

#include <fmt/format.h>

#include "contra4/base/utf8.h"
#include "contra4/data/item.h"
#include "contra4/scoring/choice_rule.h"

namespace contra4::pipeline {

namespace {

using namespace std::string_view_literals;

constexpr std::string_view kBeginning = "which scene";

// Words that tell how a scene reaches the player, in lower case; whole words only.
constexpr std::array kModalityWords = {
    "image"sv,    "images"sv,     "picture"sv,     "pictures"sv, "pictured"sv, "photo"sv,
    "photos"sv,   "photograph"sv, "photographs"sv, "video"sv,    "videos"sv,   "footage"sv,
    "audio"sv,    "recording"sv,  "recordings"sv,  "3d"sv,       "3-d"sv,      "caption"sv,
    "captions"sv, "modality"sv,   "modalities"sv,
};
// The same of several words, single blanks between.
constexpr std::array kModalityPhrases = {"point cloud"sv, "point clouds"sv, "sound clip"sv,
                                         "three-dimensional"sv};

bool is_blank(char c) {
  return c == ' ' || c == '\t' || c == '\r' || c == '\f' || c == '\v';
}

bool is_word_byte(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '-' ||
         static_cast<unsigned char>(c) >= 0x80;
}

std::string_view stripped(std::string_view text) {
  while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_blank(text.back())) text.remove_suffix(1);
  return text;
}

std::string_view first_line(std::string_view reply) {
  while (!reply.empty()) {
    const std::size_t end = std::min(reply.find('\n'), reply.size());
    const std::string_view line = stripped(reply.substr(0, end));
    if (!line.empty()) return line;
    reply.remove_prefix(std::min(end + 1, reply.size()));
  }
  return {};
}

// Quotes and marks of emphasis that stand on both sides.
std::string_view unwrapped(std::string_view line) {
  constexpr std::array<std::pair<std::string_view, std::string_view>, 4> kPairs = {
      {{"**", "**"}, {"\"", "\""}, {"*", "*"}, {"\xE2\x80\x9C", "\xE2\x80\x9D"}}};
  for (const auto& [open, close] : kPairs) {
    if (line.size() > open.size() + close.size() && line.starts_with(open) &&
        line.ends_with(close)) {
      line = stripped(line.substr(open.size(), line.size() - open.size() - close.size()));
    }
  }
  return line;
}

std::string lower(std::string_view text) {
  std::string result(text);
  for (char& c : result) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return result;
}

// Calls `see(word, end)` for each run of word bytes, until it gives true.
template <class See>
bool any_word(std::string_view text, const See& see) {
  for (std::size_t at = 0; at < text.size();) {
    if (!is_word_byte(text[at])) {
      ++at;
      continue;
    }
    std::size_t end = at;
    while (end < text.size() && is_word_byte(text[end])) ++end;
    if (see(text.substr(at, end - at), end)) return true;
    at = end;
  }
  return false;
}

std::size_t num_words(std::string_view text) {
  std::size_t count = 0;
  any_word(text, [&](std::string_view, std::size_t) {
    ++count;
    return false;
  });
  return count;
}

bool names_modality(std::string_view lowered) {
  for (const std::string_view phrase : kModalityPhrases) {
    if (lowered.find(phrase) != std::string_view::npos) return true;
  }
  return any_word(lowered, [](std::string_view word, std::size_t) {
    return std::find(kModalityWords.begin(), kModalityWords.end(), word) != kModalityWords.end();
  });
}

// "Scene B", "scenes A and C": the letter is a capital one, so that "which scene a dog" names none.
bool names_scene(std::string_view text) {
  bool is_after_scene = false;
  return any_word(text, [&](std::string_view word, std::size_t) {
    if (is_after_scene && word.size() == 1 && word[0] >= 'A' && word[0] <= 'Z') return true;
    const std::string lowered = lower(word);
    is_after_scene = lowered == "scene" || lowered == "scenes";
    return false;
  });
}

std::string_view question_fault(std::string_view line, const QuestionBounds& bounds) {
  if (line.empty()) return "empty";
  const std::string lowered = lower(line);
  if (!lowered.starts_with(kBeginning) ||
      (lowered.size() > kBeginning.size() && is_word_byte(lowered[kBeginning.size()]))) {
    return "beginning";
  }
  const auto marks = std::count(line.begin(), line.end(), '?');
  if (marks == 0) return "no question mark";
  if (marks > 1) return "several questions";
  if (!line.ends_with('?')) return "words after the question";
  if (names_modality(lowered)) return "modality";
  if (names_scene(line)) return "names a scene";
  if (num_words(line) > bounds.max_words || num_characters(line) > bounds.max_characters) {
    return "too long";
  }
  return {};
}

}  // namespace

JudgedReply judge_question(std::string_view reply, const QuestionBounds& bounds) {
  const std::string_view line = unwrapped(first_line(reply));
  JudgedReply judged;
  judged.fault = question_fault(line, bounds);
  if (!judged.is_good()) return judged;
  judged.text = line;
  judged.text[0] = 'W';
  return judged;
}

JudgedReply judge_answer(std::string_view reply, int num_scenes) {
  const std::string_view line = unwrapped(first_line(reply));
  JudgedReply judged;
  if (line.empty()) {
    judged.fault = "empty";
    return judged;
  }
  // "A dog barks" begins with an article, not with a letter.
  const bool is_named = line.starts_with("Scene ") || line.size() == 1 || line[1] != ' ';
  const std::optional<int> plain = is_named ? parse_gold_answer(line) : std::nullopt;
  const auto choice = scoring::parse_choice(line, num_scenes);
  judged.answer = !plain ? choice.index : *plain < num_scenes ? plain : std::nullopt;
  if (!judged.answer) {
    judged.fault = choice.reading == scoring::Reading::kSeveral ? "several scenes" : "no scene";
    return judged;
  }
  const std::string name = scene_name(*judged.answer);
  if (line.starts_with(name)) {
    judged.text = line;
  } else if (plain && line.size() <= 2) {
    judged.text = name;
  } else {
    judged.text = fmt::format("{}. {}", name, line);
  }
  return judged;
}

}  // namespace contra4::pipeline
