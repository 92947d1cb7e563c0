// What servers of one protocol refuse, learned from their own words and remembered per endpoint, so
// that a request is asked again without it. Each protocol holds its knowledge as one table.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "contra4/clients/server_message.h"

namespace contra4::clients {

enum class Quirk : std::uint8_t {
  kMaxCompletionTokens,  // wants "max_completion_tokens" instead of "max_tokens"
  kNoTokenLimit,         // takes neither
  kSmallTokenLimit,      // takes at most kSmallTokenLimit tokens: its context is short
  kNoTemperature,
  kNoTopP,
  kNoSeed,
  kNoStop,
  kSystemInUser,  // takes no system message: it goes in front of the first user message
  kNoSchema,      // cannot restrict a reply to a schema: the choice is read from the text
  kFewLogprobs,   // takes at most kFewLogprobs alternatives
  kNoLogprobs,    // gives no log-probabilities
  kNoPrefill,     // cannot go on from the beginning of a reply
};

inline constexpr int kSmallTokenLimit = 1024;
inline constexpr int kManyLogprobs = 20;
inline constexpr int kFewLogprobs = 5;

// For logs: what is done from now on, "no 'seed'".
std::string_view to_string(Quirk quirk);

class QuirkSet {
 public:
  QuirkSet() = default;
  QuirkSet(std::initializer_list<Quirk> quirks) {
    for (const Quirk quirk : quirks) add(quirk);
  }
  bool has(Quirk quirk) const { return (bits_ & bit(quirk)) != 0; }
  void add(Quirk quirk) { bits_ |= bit(quirk); }
  void add(QuirkSet others) { bits_ |= others.bits_; }
  bool is_empty() const { return bits_ == 0; }
  QuirkSet without(QuirkSet others) const { return QuirkSet(bits_ & ~others.bits_); }
  friend bool operator==(QuirkSet, QuirkSet) = default;

 private:
  explicit QuirkSet(std::uint32_t bits) : bits_(bits) {}
  static std::uint32_t bit(Quirk quirk) { return std::uint32_t{1} << static_cast<unsigned>(quirk); }
  std::uint32_t bits_ = 0;
};

// One line of a table.
struct QuirkRow {
  enum class Sign {
    kRefused,  // the message names `words`, a parameter, and says that it is not taken
    kTooMuch,  // the message names `words` and says that its value is too large
    kPhrase,   // the message holds `words`, in lower case
  };
  Quirk quirk;
  Sign sign;
  std::string_view words;
};

// The quirks among `possible` (those that what was sent can have met) that `message` tells of.
QuirkSet find_quirks(const ServerMessage& message, std::span<const QuirkRow> table,
                     QuirkSet possible);

// "no 'seed', no system message".
std::string describe(QuirkSet quirks);

}  // namespace contra4::clients
