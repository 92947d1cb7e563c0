#include "contra4/pipeline/verify_ledger.h"

#include <algorithm>
#include <limits>

#include "contra4/base/error.h"

namespace contra4::pipeline {

namespace {

// A reply as a byte: 0 nothing known, else what it says, with a bit once it was taken.
constexpr std::uint8_t kTaken = 0x80;
constexpr int kOffset = 3;  // kRefused is 1

std::uint8_t encode(int says) {
  return static_cast<std::uint8_t>(says + kOffset);
}
int decode(std::uint8_t reply) {
  return (reply & ~kTaken) - kOffset;
}

}  // namespace

std::string_view to_string(AskUntil until) {
  switch (until) {
    case AskUntil::kUnanimous:
      return "unanimous";
    case AskUntil::kMajority:
      return "majority";
    case AskUntil::kAllOrders:
      break;
  }
  return "all";
}

std::optional<AskUntil> parse_ask_until(std::string_view text) {
  for (const AskUntil until : {AskUntil::kUnanimous, AskUntil::kMajority, AskUntil::kAllOrders}) {
    if (text == to_string(until)) return until;
  }
  return std::nullopt;
}

VerifyLedger::VerifyLedger(const AskedItems& items, std::size_t num_models, AskUntil until)
    : items_(items), until_(until) {
  orders_.resize(kMaxScenes + 1);
  for (int n = 1; n <= kMaxScenes; ++n) {
    orders_[static_cast<std::size_t>(n)] = scoring::all_orders(n);
  }
  std::uint64_t next = 0;
  first_.reserve(items.size() + 1);
  first_.push_back(0);
  for (std::size_t item = 0; item < items.size(); ++item) {
    const std::size_t num_orders = orders(item).size();
    next += num_orders;
    if (next > std::numeric_limits<std::uint32_t>::max()) {
      throw Exception(ErrorCode::kResourceExhausted,
                      "too many items for one verification; --shard I/N makes parts of them");
    }
    first_.push_back(static_cast<std::uint32_t>(next));
    max_orders_ = std::max(max_orders_, num_orders);
  }
  models_.resize(num_models);
  for (ModelState& model : models_) {
    model.replies.resize(num_requests());
    model.has_disagreed.resize(items.size());
    model.is_set_aside.resize(items.size());
  }
  if (until_ == AskUntil::kAllOrders) return;
  // No reply agrees with an answer that is not there.
  for (std::size_t item = 0; item < items.size(); ++item) {
    if (items.answer(item)) continue;
    for (ModelState& model : models_) model.has_disagreed[item] = 1;
    unwanted_from_start_ += num_models * num_orders(item);
  }
}

const std::vector<scoring::SceneOrder>& VerifyLedger::orders(std::size_t item) const {
  return orders_[static_cast<std::size_t>(items_.num_scenes(item))];
}

void VerifyLedger::know(std::size_t model, std::size_t request, int says) {
  models_[model].replies[request] = encode(says);
}

std::optional<int> VerifyLedger::known(std::size_t model, std::size_t request) const {
  const std::uint8_t reply = models_[model].replies[request];
  if (reply == 0) return std::nullopt;
  return decode(reply);
}

bool VerifyLedger::is_decided(std::size_t item) const {
  if (until_ == AskUntil::kAllOrders) return false;
  const auto num_disagreed = static_cast<std::size_t>(
      std::count_if(models_.begin(), models_.end(),
                    [&](const ModelState& model) { return model.has_disagreed[item] != 0; }));
  if (until_ == AskUntil::kUnanimous) return num_disagreed > 0;
  return 2 * (models_.size() - num_disagreed) <= models_.size();
}

bool VerifyLedger::wants(std::size_t model, std::size_t item, std::size_t order) const {
  if (order >= num_orders(item) || taken(model, request(item, order))) return false;
  if (until_ == AskUntil::kAllOrders) return true;
  if (models_[model].has_disagreed[item] != 0 || is_decided(item)) return false;
  return std::none_of(models_.begin(), models_.end(),
                      [&](const ModelState& other) { return other.is_set_aside[item] != 0; });
}

std::size_t VerifyLedger::take(std::size_t model, std::size_t item, std::size_t order, int says) {
  models_[model].replies[request(item, order)] = static_cast<std::uint8_t>(encode(says) | kTaken);
  const auto answer = items_.answer(item);
  const scoring::SceneOrder& shown = orders(item)[order];
  const bool is_right = answer && says >= 0 && says < static_cast<int>(shown.size()) &&
                        shown[static_cast<std::size_t>(says)] == *answer;
  if (is_right) return 0;
  if (until_ == AskUntil::kAllOrders) {
    models_[model].has_disagreed[item] = 1;
    return 0;
  }
  std::vector<bool> was_over(models_.size());
  for (std::size_t m = 0; m < models_.size(); ++m) {
    was_over[m] = models_[m].has_disagreed[item] != 0;
  }
  models_[model].has_disagreed[item] = 1;
  std::size_t num_saved = 0;
  const bool is_over = is_decided(item);
  for (std::size_t m = 0; m < models_.size(); ++m) {
    if (!was_over[m] && (is_over || m == model)) num_saved += num_open(m, item);
  }
  return num_saved;
}

std::optional<int> VerifyLedger::taken(std::size_t model, std::size_t request) const {
  const std::uint8_t reply = models_[model].replies[request];
  if ((reply & kTaken) == 0) return std::nullopt;
  return decode(reply);
}

void VerifyLedger::set_aside(std::size_t model, std::size_t item) {
  models_[model].is_set_aside[item] = 1;
}

std::size_t VerifyLedger::num_open(std::size_t model, std::size_t item) const {
  std::size_t num_open = 0;
  for (std::size_t order = 0; order < num_orders(item); ++order) {
    num_open += taken(model, request(item, order)) ? 0U : 1U;
  }
  return num_open;
}

bool VerifyLedger::agrees(std::size_t model, std::size_t item) const {
  return num_orders(item) > 0 && models_[model].has_disagreed[item] == 0 &&
         num_open(model, item) == 0;
}

}  // namespace contra4::pipeline
