#include "contra4/clients/letter_logprobs.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <set>
#include <utility>

namespace contra4::clients {

namespace {

using namespace std::string_view_literals;

// A space as some tokenizers spell it when the server does not decode: SentencePiece, byte-level.
constexpr std::array kRawSpaces = {"\xe2\x96\x81"sv, "\xc4\xa0"sv, "\xc4\x8a"sv};
constexpr std::string_view kLeading = " \t\r\n([{<\"'`*_";
constexpr std::string_view kTrailing = " \t\r\n)]}>\"'`*_.:,;";

std::string_view strip(std::string_view token) {
  for (bool is_changed = true; is_changed;) {
    is_changed = false;
    for (const std::string_view space : kRawSpaces) {
      if (!token.starts_with(space)) continue;
      token.remove_prefix(space.size());
      is_changed = true;
    }
    const std::size_t begin = std::min(token.find_first_not_of(kLeading), token.size());
    is_changed = is_changed || begin > 0;
    token.remove_prefix(begin);
  }
  const std::size_t last = token.find_last_not_of(kTrailing);
  return last == std::string_view::npos ? std::string_view() : token.substr(0, last + 1);
}

double add_logs(double a, double b) {
  const auto [low, high] = std::minmax(a, b);
  return high + std::log1p(std::exp(low - high));
}

// {"token": ..., "logprob": ...}, or Gemini's "logProbability".
void append_entry(const io::JsonValue& entry, std::vector<TokenLogprob>& alternatives) {
  const io::JsonValue* token = entry.find("token");
  const io::JsonValue* logprob = entry.find("logprob");
  if (logprob == nullptr) logprob = entry.find("logProbability");
  if (token == nullptr || logprob == nullptr) return;
  if (!token->is_string() || !logprob->find_number()) return;
  alternatives.push_back({*token->find_string(), *logprob->find_number()});
}

void append_list(const io::JsonValue* list, std::vector<TokenLogprob>& alternatives) {
  if (list == nullptr || !list->is_array()) return;
  for (const io::JsonValue& entry : *list->find_array()) append_entry(entry, alternatives);
}

void append_map(const io::JsonValue::Object& map, std::vector<TokenLogprob>& alternatives) {
  for (const auto& [token, logprob] : map) {
    if (logprob.find_number()) alternatives.push_back({token, *logprob.find_number()});
  }
}

}  // namespace

std::optional<std::vector<TokenLogprob>> parse_first_token(const io::JsonValue* logprobs) {
  if (logprobs == nullptr) return std::nullopt;
  std::vector<TokenLogprob> alternatives;
  if (const io::JsonValue* chat = logprobs->find_path("content", 0)) {
    append_list(chat->find("top_logprobs"), alternatives);
    append_entry(*chat, alternatives);
  } else if (const io::JsonValue* map = logprobs->find_path("top_logprobs", 0);
             map != nullptr && map->is_object()) {
    append_map(*map->find_object(), alternatives);
  } else {
    append_list(logprobs->find_path("topCandidates", 0, "candidates"), alternatives);
  }
  if (alternatives.empty()) return std::nullopt;
  return alternatives;
}

std::vector<double> letter_logprobs(std::span<const TokenLogprob> alternatives,
                                    std::span<const std::string> choices) {
  std::vector<double> result(choices.size(), kUnlistedLogprob);
  std::set<std::string_view> seen;
  bool has_letter = false;
  for (const TokenLogprob& alternative : alternatives) {
    // The chosen token stands among the alternatives and beside them.
    if (!seen.insert(alternative.token).second) continue;
    const auto choice = std::find(choices.begin(), choices.end(), strip(alternative.token));
    if (choice == choices.end() || !std::isfinite(alternative.logprob)) continue;
    double& sum = result[static_cast<std::size_t>(choice - choices.begin())];
    sum = sum == kUnlistedLogprob ? alternative.logprob : add_logs(sum, alternative.logprob);
    has_letter = true;
  }
  return has_letter ? result : std::vector<double>();
}

}  // namespace contra4::clients
