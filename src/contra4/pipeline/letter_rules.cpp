#include "contra4/pipeline/letter_rules.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>

#include "contra4/data/item.h"

namespace contra4::pipeline {

namespace {

constexpr std::string_view kScene = "Scene ";
constexpr std::string_view kAnswer = "Answer";
constexpr int kNumLetters = 4;

// Bit i is set for the i-th letter.
using LetterSet = std::uint32_t;

LetterSet letter_at(std::string_view text, std::size_t at) {
  if (at >= text.size()) return 0;
  const char c = text[at];
  return c >= 'A' && c < 'A' + kNumLetters ? LetterSet{1} << (c - 'A') : 0;
}

std::optional<int> only_one(LetterSet letters) {
  if (!std::has_single_bit(letters)) return std::nullopt;
  return std::countr_zero(letters);
}

LetterSet letters_in(std::string_view text) {
  LetterSet letters = 0;
  for (std::size_t at = 0; at < text.size(); ++at) letters |= letter_at(text, at);
  return letters;
}

LetterSet scenes_in(std::string_view text) {
  LetterSet letters = 0;
  for (std::size_t at = text.find(kScene); at != std::string_view::npos;
       at = text.find(kScene, at + 1)) {
    letters |= letter_at(text, at + kScene.size());
  }
  return letters;
}

std::optional<int> read_words(std::string_view words, LetterRule rule) {
  if (rule != LetterRule::kVerify) {
    if (words.starts_with(kScene)) {
      if (const auto first = only_one(letter_at(words, kScene.size()))) return first;
    }
    if (const auto scene = only_one(scenes_in(words))) return scene;
  }
  return only_one(letters_in(words));
}

// The words that the rule looks at; in `storage` where they do not stand together in the reply.
std::string_view words_of(std::string_view reply, LetterRule rule, std::string& storage) {
  const std::string_view words = reply.substr(0, reply.find('.'));
  if (rule != LetterRule::kFilter) return words;
  std::size_t at = words.find(kAnswer);
  if (at == std::string_view::npos) return words;
  std::size_t from = 0;
  for (; at != std::string_view::npos; at = words.find(kAnswer, from)) {
    storage += words.substr(from, at - from);
    from = at + kAnswer.size();
  }
  storage += words.substr(from);
  return storage;
}

// The white space that Python's str.strip takes off, in UTF-8.
constexpr std::array<std::string_view, 29> kSpaces = {" ",
                                                      "\t",
                                                      "\n",
                                                      "\v",
                                                      "\f",
                                                      "\r",
                                                      "\x1c",
                                                      "\x1d",
                                                      "\x1e",
                                                      "\x1f",
                                                      "\xC2\x85",
                                                      "\xC2\xA0",
                                                      "\xE1\x9A\x80",
                                                      "\xE2\x80\x80",
                                                      "\xE2\x80\x81",
                                                      "\xE2\x80\x82",
                                                      "\xE2\x80\x83",
                                                      "\xE2\x80\x84",
                                                      "\xE2\x80\x85",
                                                      "\xE2\x80\x86",
                                                      "\xE2\x80\x87",
                                                      "\xE2\x80\x88",
                                                      "\xE2\x80\x89",
                                                      "\xE2\x80\x8A",
                                                      "\xE2\x80\xA8",
                                                      "\xE2\x80\xA9",
                                                      "\xE2\x80\xAF",
                                                      "\xE2\x81\x9F",
                                                      "\xE3\x80\x80"};

std::string_view stripped(std::string_view text) {
  const auto starts = [&](std::string_view space) { return text.starts_with(space); };
  const auto ends = [&](std::string_view space) { return text.ends_with(space); };
  for (const auto* space = kSpaces.begin(); space != kSpaces.end();) {
    space = std::find_if(kSpaces.begin(), kSpaces.end(), starts);
    if (space != kSpaces.end()) text.remove_prefix(space->size());
  }
  for (const auto* space = kSpaces.begin(); space != kSpaces.end();) {
    space = std::find_if(kSpaces.begin(), kSpaces.end(), ends);
    if (space != kSpaces.end()) text.remove_suffix(space->size());
  }
  return text;
}

}  // namespace

std::optional<int> read_letter(std::string_view reply, LetterRule rule) {
  std::string storage;
  return read_words(words_of(reply, rule, storage), rule);
}

std::string formatted_answer(std::string_view reply, LetterRule rule) {
  std::string storage;
  const std::string_view words = words_of(reply, rule, storage);
  if (const auto letter = read_words(words, rule)) return scene_name(*letter);
  return rule == LetterRule::kBalance ? std::string() : std::string(words);
}

std::string_view published_reply_line(std::string_view generated) {
  std::string_view line = stripped(generated.substr(0, generated.find('\n')));
  const std::size_t end = line.find("</s>");
  return end == std::string_view::npos ? line : stripped(line.substr(0, end));
}

}  // namespace contra4::pipeline
