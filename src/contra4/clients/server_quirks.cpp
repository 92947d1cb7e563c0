#include "contra4/clients/server_quirks.h"

#include <algorithm>
#include <array>

#include "contra4/base/error.h"

namespace contra4::clients {

namespace {

using namespace std::string_view_literals;

struct QuirkName {
  Quirk quirk;
  std::string_view text;
};

constexpr std::array kNames = {
    QuirkName{Quirk::kMaxCompletionTokens, "'max_completion_tokens' for 'max_tokens'"},
    QuirkName{Quirk::kNoTokenLimit, "no limit of tokens"},
    QuirkName{Quirk::kSmallTokenLimit, "a reply of at most 1024 tokens"},
    QuirkName{Quirk::kNoTemperature, "no 'temperature'"},
    QuirkName{Quirk::kNoTopP, "no 'top_p'"},
    QuirkName{Quirk::kNoSeed, "no 'seed'"},
    QuirkName{Quirk::kNoStop, "no 'stop'"},
    QuirkName{Quirk::kSystemInUser, "system message within the user's"},
    QuirkName{Quirk::kNoSchema, "no schema: the choice is read from the text"},
    QuirkName{Quirk::kFewLogprobs, "5 log-probabilities"},
    QuirkName{Quirk::kNoLogprobs, "no log-probabilities"},
    QuirkName{Quirk::kNoPrefill, "no beginning of the reply"},
};

// The ways in which servers refuse a parameter: OpenAI ("Unsupported parameter", "does not
// support"), pydantic ("Extra inputs are not permitted", "extra_forbidden"), transformers
// ("Unexpected keys"), Google ("Unknown name", "is not enabled"), Mistral and DeepSeek
// ("unrecognized", "unknown field"), gateways ("not allowed", "not available").
constexpr std::array kRefusals = {
    "unsupported"sv,     "not support"sv, "only supported"sv, "unexpected"sv,
    "unrecognized"sv,    "unknown"sv,     "not permitted"sv,  "extra_forbidden"sv,
    "not allowed"sv,     "not enabled"sv, "not available"sv,  "not implemented"sv,
    "unavailable now"sv, "deprecated"sv,  "cannot be used"sv, "incompatible"sv,
};

constexpr std::array kTooMuch = {
    "less than or equal"sv,
    "at most"sv,
    "maximum"sv,
    "max allowed"sv,
    "greater than"sv,
    "too large"sv,
    "too many"sv,
    "must be between"sv,
    "between 0 and"sv,
    "out of range"sv,
    "in range"sv,
    "less_than_equal"sv,
    "exceed"sv,
};

template <class List>
bool mentions_any(const ServerMessage& message, const List& phrases) {
  return std::any_of(phrases.begin(), phrases.end(),
                     [&](std::string_view phrase) { return message.mentions(phrase); });
}

}  // namespace

std::string_view to_string(Quirk quirk) {
  const auto* row = std::find_if(kNames.begin(), kNames.end(),
                                 [&](const QuirkName& name) { return name.quirk == quirk; });
  CONTRA4_CHECK(row != kNames.end(), "quirk without a name");
  return row->text;
}

std::string describe(QuirkSet quirks) {
  std::string text;
  for (const QuirkName& name : kNames) {
    if (!quirks.has(name.quirk)) continue;
    if (!text.empty()) text += ", ";
    text += name.text;
  }
  return text;
}

QuirkSet find_quirks(const ServerMessage& message, std::span<const QuirkRow> table,
                     QuirkSet possible) {
  if (possible.is_empty()) return {};
  const bool is_refusal = mentions_any(message, kRefusals);
  const bool is_too_much = mentions_any(message, kTooMuch);
  QuirkSet found;
  for (const QuirkRow& row : table) {
    if (!possible.has(row.quirk)) continue;
    switch (row.sign) {
      case QuirkRow::Sign::kRefused:
        if (is_refusal && message.names(row.words)) found.add(row.quirk);
        break;
      case QuirkRow::Sign::kTooMuch:
        if (is_too_much && message.names(row.words)) found.add(row.quirk);
        break;
      case QuirkRow::Sign::kPhrase:
        if (message.mentions(row.words)) found.add(row.quirk);
        break;
    }
  }
  return found;
}

}  // namespace contra4::clients
