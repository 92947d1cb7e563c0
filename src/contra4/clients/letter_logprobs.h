// Log-probabilities of the answer letters, from the alternatives a server lists for one token.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "contra4/io/json.h"

namespace contra4::clients {

struct TokenLogprob {
  std::string token;
  double logprob = 0;
};

// The alternatives of the first token of a reply: chat completions ("logprobs": {"content":
// [{"token", "logprob", "top_logprobs": [...]}]}), completions ({"top_logprobs": [{token:
// logprob}]}) and Gemini ({"topCandidates": [{"candidates": [...]}]}). Empty: the server gave none.
std::optional<std::vector<TokenLogprob>> parse_first_token(const io::JsonValue* logprobs);

// Of a letter that is not among the alternatives; the value servers themselves use for such tokens.
inline constexpr double kUnlistedLogprob = -9999;

// One per choice: the logarithm of the summed probability of all listed tokens that read as the
// letter once blanks, brackets, quotes, asterisks and a full stop, colon or comma around it are
// taken off ("A", " A", "(A", "A.", "**A"). Lower case does not count: "a" is a word. Empty when no
// letter is listed at all.
std::vector<double> letter_logprobs(std::span<const TokenLogprob> alternatives,
                                    std::span<const std::string> choices);

}  // namespace contra4::clients
