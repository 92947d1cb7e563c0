#include "contra4/scoring/bm25.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <set>
#include <utility>

namespace contra4::scoring {

namespace {

// Sorted, without the s that words lose. What questions are made of besides content: "scene",
// comparatives.
constexpr std::array<std::string_view, 52> kFunctionWords = {
    "a",     "an",    "and",   "any",   "are",    "as",    "at",    "be",   "been", "being", "by",
    "can",   "could", "do",    "doe",   "for",    "from",  "has",   "have", "how",  "in",    "into",
    "is",    "it",    "its",   "less",  "likely", "more",  "most",  "of",   "on",   "one",   "or",
    "scene", "some",  "than",  "that",  "the",    "their", "there", "thi",  "to",   "was",   "were",
    "what",  "when",  "where", "which", "who",    "will",  "with",  "would"};

bool is_word_byte(unsigned char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || c >= 0x80;
}

char lowered(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

void add_word(std::vector<std::string>& words, std::string word) {
  if (word.size() > 3 && word.ends_with('s') && !word.ends_with("ss")) word.pop_back();
  if (word.empty() ||
      std::binary_search(kFunctionWords.begin(), kFunctionWords.end(), std::string_view(word))) {
    return;
  }
  words.push_back(std::move(word));
}

}  // namespace

std::vector<std::string> lexical_words(std::string_view text) {
  std::vector<std::string> words;
  std::string word;
  for (const char original : text) {
    const char c = lowered(original);
    if (is_word_byte(static_cast<unsigned char>(c))) {
      word += c;
    } else {
      add_word(words, std::exchange(word, {}));
    }
  }
  add_word(words, std::move(word));
  return words;
}

std::vector<double> bm25_scores(std::string_view query, std::span<const std::string_view> documents,
                                const Bm25Options& options) {
  std::vector<std::map<std::string, double>> counts(documents.size());
  std::vector<double> lengths(documents.size());
  double total_length = 0;
  for (std::size_t i = 0; i < documents.size(); ++i) {
    for (std::string& word : lexical_words(documents[i])) {
      ++counts[i][std::move(word)];
      ++lengths[i];
    }
    total_length += lengths[i];
  }
  std::vector<double> scores(documents.size());
  if (total_length == 0) return scores;
  const auto num_documents = static_cast<double>(documents.size());
  const double mean_length = total_length / num_documents;
  const auto words = lexical_words(query);
  for (const std::string& word : std::set<std::string>(words.begin(), words.end())) {
    const auto num_with =
        static_cast<double>(std::count_if(counts.begin(), counts.end(), [&](const auto& words_of) {
          return words_of.contains(word);
        }));
    const double idf = std::log(1 + (num_documents - num_with + 0.5) / (num_with + 0.5));
    for (std::size_t i = 0; i < documents.size(); ++i) {
      const auto found = counts[i].find(word);
      if (found == counts[i].end()) continue;
      const double frequency = found->second;
      const double length = 1 - options.b + options.b * lengths[i] / mean_length;
      scores[i] += idf * frequency * (options.k1 + 1) / (frequency + options.k1 * length);
    }
  }
  return scores;
}

}  // namespace contra4::scoring
