// Okapi BM25 between a question and the captions of its scenes: how far common words go.
// Source: Robertson, Zaragoza, "The Probabilistic Relevance Framework: BM25 and Beyond", 2009, with
// the inverse document frequency log(1 + (N - n + 0.5) / (n + 0.5)), which is never negative.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace contra4::scoring {

struct Bm25Options {
  double k1 = 1.2;  // how soon a word that is repeated stops counting
  double b = 0.75;  // how much a long document is held against it, 0 to 1
};

// Words in lower case (ASCII), without function words of English; a plural loses its s. Any bytes.
std::vector<std::string> lexical_words(std::string_view text);

// One score per document, 0 where it shares no word with the query. Frequencies are those of these
// documents; their order has no influence.
std::vector<double> bm25_scores(std::string_view query, std::span<const std::string_view> documents,
                                const Bm25Options& options = {});

}  // namespace contra4::scoring
