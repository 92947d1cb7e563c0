// The words of a text as BERT-uncased sees them, before they are cut into pieces.
#pragma once

#include <cstddef>
#include <functional>
#include <string_view>

namespace contra4::text {

struct BertWord {
  std::string_view bytes;    // normalised UTF-8, never empty; valid during the call only
  bool is_too_long = false;  // more than the maximum of code points; `bytes` is only its start
};

// Return false to end the text here.
using BertWordSink = std::function<bool(const BertWord&)>;

// Walks through `text` once, in memory that does not grow with it:
//   control, format and private-use characters, NUL, U+FFFD and bytes that are no UTF-8 vanish;
//   white space parts words; each Chinese character and each punctuation mark is a word of its own;
//   canonical decomposition without its nonspacing marks (accents), then lower case.
// Source: BertNormalizer and BertPreTokenizer of Hugging Face tokenizers 0.23 with the settings of
// bert-base-uncased, oddities included: U+2B820..U+2B91F count as no Chinese characters, unassigned
// code points are kept. On purpose different: characters younger than Unicode 8 are classed as in
// utf8proc's Unicode 14, so that marks and punctuation of new scripts are treated as such (some 600
// code points, none of them in the vocabulary).
void for_each_bert_word(std::string_view text, std::size_t max_word_chars,
                        const BertWordSink& sink);

}  // namespace contra4::text
