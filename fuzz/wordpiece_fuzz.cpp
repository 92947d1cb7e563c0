// Any bytes as a text: the numbers stay in the vocabulary and the length in its limit, a text cut
// by the limit is a prefix of the whole, and what the words hold is normalised.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "contra4/text/bert_words.h"
#include "contra4/text/wordpiece.h"

namespace {

void require(bool condition) {
  if (!condition) std::abort();
}

const contra4::text::WordPiece& tokenizer() {
  static const contra4::text::WordPiece instance = [] {
    std::vector<std::string> vocabulary = {"[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", ".", "中"};
    for (char letter = 'a'; letter <= 'z'; ++letter) {
      vocabulary.emplace_back(1, letter);
      vocabulary.push_back(std::string("##") + letter);
      vocabulary.push_back(std::string("##") + letter + "é");
    }
    vocabulary.emplace_back("##жж");
    return contra4::text::WordPiece(vocabulary);
  }();
  return instance;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  constexpr std::size_t kMaxTokens = 256;
  constexpr std::size_t kFewTokens = 7;
  const auto tokens = tokenizer().encode(text, kMaxTokens);
  require(tokens.size() >= 2 && tokens.size() <= kMaxTokens);
  require(tokens.front() == 2 && tokens.back() == 3);
  for (const std::int32_t token : tokens) {
    require(token >= 0 && static_cast<std::size_t>(token) < tokenizer().vocabulary_size());
  }
  const auto few = tokenizer().encode(text, kFewTokens);
  require(few.size() == std::min(tokens.size(), kFewTokens));
  for (std::size_t i = 0; i + 1 < few.size(); ++i) require(few[i] == tokens[i]);

  // Words of words are the same words.
  contra4::text::for_each_bert_word(text, 100, [](const contra4::text::BertWord& word) {
    require(!word.bytes.empty());
    if (word.is_too_long) return true;
    const std::string before(word.bytes);
    int count = 0;
    contra4::text::for_each_bert_word(before, 100, [&](const contra4::text::BertWord& again) {
      ++count;
      require(again.bytes == before);
      return true;
    });
    require(count == 1);
    return true;
  });
  return 0;
}
