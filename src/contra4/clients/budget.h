// A cap on what a run may cost, in tokens or in money.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>

#include "contra4/base/error.h"
#include "contra4/inference/text_generator.h"

namespace contra4::clients {

struct TokenPrice {
  double prompt_usd_per_million = 0;
  double completion_usd_per_million = 0;
};

using PriceTable = std::map<std::string, TokenPrice>;

// YAML or JSON: model name -> {prompt: USD per million tokens, completion: USD per million tokens}.
// Throws kNotFound, kInvalidArgument with the entry at fault.
PriceTable read_price_file(const std::filesystem::path& path);

// Stands in for what a server does not count, so that a cap holds all the same; on the safe side of
// the usual four bytes per token.
inline constexpr std::size_t kFewestBytesPerToken = 3;
// Of a text of so many bytes, rounded up.
std::int64_t estimate_tokens(std::size_t bytes);

struct BudgetOptions {
  std::int64_t max_tokens_total = 0;  // prompt and completion together; 0: no cap
  double max_cost_usd = 0;            // 0: no cap; needs `price`
  std::optional<TokenPrice> price{};  // of the model asked
};

class Budget {
 public:
  // Throws kInvalidArgument for a negative cap, or a cap in money without a price.
  explicit Budget(const BudgetOptions& options);

  bool has_cap() const { return options_.max_tokens_total > 0 || options_.max_cost_usd > 0; }
  void add(const TokenUsage& usage);
  // Whether one more may be sent beside `in_flight` others, each expected to cost the mean so far:
  // the cap is not overrun by what is under way, except by replies longer than usual.
  bool allows_one_more(int in_flight) const;
  bool is_spent() const;
  // kResourceExhausted: what was spent, of what, and how to go on.
  Error error() const;

  const TokenUsage& used() const { return used_; }
  double cost_usd() const;

 private:
  BudgetOptions options_;
  TokenUsage used_;
  std::int64_t num_replies_ = 0;
};

}  // namespace contra4::clients
