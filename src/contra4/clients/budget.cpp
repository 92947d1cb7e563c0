#include "contra4/clients/budget.h"

#include <cmath>

#include <fmt/format.h>

#include "contra4/io/yaml.h"

namespace contra4::clients {

namespace {

double read_price(const io::JsonValue& entry, const char* name, const std::string& where) {
  const io::JsonValue* value = entry.find(name);
  const std::optional<double> price = value ? value->find_number() : std::nullopt;
  if (!price || !std::isfinite(*price) || *price < 0) {
    throw Exception(
        ErrorCode::kInvalidArgument,
        fmt::format("{} needs '{}': USD per million tokens, a number from 0 up", where, name));
  }
  return *price;
}

}  // namespace

PriceTable read_price_file(const std::filesystem::path& path) {
  // JSON is read as the YAML it is.
  const io::JsonValue document = io::read_yaml_file(path);
  const io::JsonValue::Object* models = document.find_object();
  if (models == nullptr) {
    throw Exception(ErrorCode::kInvalidArgument,
                    fmt::format("[prices] {}: wanted model names, each with prompt and completion",
                                path.string()));
  }
  PriceTable table;
  for (const auto& [name, entry] : *models) {
    const std::string where = fmt::format("[prices] {}: '{}'", path.string(), name);
    if (!entry.is_object()) {
      throw Exception(ErrorCode::kInvalidArgument,
                      where + " needs 'prompt' and 'completion' (USD per million tokens)");
    }
    for (const auto& [key, value] : *entry.find_object()) {
      if (key != "prompt" && key != "completion") {
        throw Exception(ErrorCode::kInvalidArgument,
                        fmt::format("{} has '{}'; known are prompt and completion", where, key));
      }
    }
    const TokenPrice price{.prompt_usd_per_million = read_price(entry, "prompt", where),
                           .completion_usd_per_million = read_price(entry, "completion", where)};
    if (!table.emplace(name, price).second) {
      throw Exception(ErrorCode::kInvalidArgument, where + " stands there twice");
    }
  }
  return table;
}

std::int64_t estimate_tokens(std::size_t bytes) {
  return static_cast<std::int64_t>((bytes + kFewestBytesPerToken - 1) / kFewestBytesPerToken);
}

Budget::Budget(const BudgetOptions& options) : options_(options) {
  if (options.max_tokens_total < 0) {
    throw Exception(ErrorCode::kInvalidArgument,
                    fmt::format("[budget] a cap of {} tokens", options.max_tokens_total));
  }
  if (!std::isfinite(options.max_cost_usd) || options.max_cost_usd < 0) {
    throw Exception(ErrorCode::kInvalidArgument,
                    fmt::format("[budget] a cap of {} USD", options.max_cost_usd));
  }
  if (options.max_cost_usd > 0 && !options.price) {
    throw Exception(ErrorCode::kInvalidArgument,
                    "[budget] a cap in money needs the model's price; add it to the price file");
  }
}

void Budget::add(const TokenUsage& usage) {
  used_.prompt_tokens += usage.prompt_tokens;
  used_.completion_tokens += usage.completion_tokens;
  ++num_replies_;
}

bool Budget::allows_one_more(int in_flight) const {
  if (!has_cap()) return true;
  if (is_spent()) return false;
  // What one costs is not known yet: one alone finds out.
  if (num_replies_ == 0) return in_flight == 0;
  const double factor = 1 + (in_flight + 1) / static_cast<double>(num_replies_);
  const double tokens = static_cast<double>(used_.prompt_tokens + used_.completion_tokens) * factor;
  if (options_.max_tokens_total > 0 && tokens > static_cast<double>(options_.max_tokens_total)) {
    return false;
  }
  return options_.max_cost_usd <= 0 || cost_usd() * factor <= options_.max_cost_usd;
}

bool Budget::is_spent() const {
  if (options_.max_tokens_total > 0 &&
      used_.prompt_tokens + used_.completion_tokens >= options_.max_tokens_total) {
    return true;
  }
  return options_.max_cost_usd > 0 && cost_usd() >= options_.max_cost_usd;
}

Error Budget::error() const {
  std::string spent;
  if (options_.max_tokens_total > 0) {
    spent = fmt::format("{} of {} tokens", used_.prompt_tokens + used_.completion_tokens,
                        options_.max_tokens_total);
  }
  if (options_.max_cost_usd > 0) {
    spent += fmt::format("{}{:.4f} of {:.4f} USD", spent.empty() ? "" : ", ", cost_usd(),
                         options_.max_cost_usd);
  }
  return {ErrorCode::kResourceExhausted,
          fmt::format("[budget] {} are spent and the next call would not fit; run again with a "
                      "higher cap to go on from here",
                      spent)};
}

double Budget::cost_usd() const {
  if (!options_.price) return 0;
  return (static_cast<double>(used_.prompt_tokens) * options_.price->prompt_usd_per_million +
          static_cast<double>(used_.completion_tokens) *
              options_.price->completion_usd_per_million) /
         1e6;
}

}  // namespace contra4::clients
