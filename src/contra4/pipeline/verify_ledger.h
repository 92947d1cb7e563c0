// What is known of every request of a verification, a byte each, and what follows from it: which
// requests are still wanted, which items agree.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "contra4/pipeline/asked_items.h"
#include "contra4/scoring/scene_orders.h"

namespace contra4::pipeline {

// When an item needs no more requests.
enum class AskUntil {
  kUnanimous,  // one order of one model disagreed with the item's answer
  kMajority,   // so many models have disagreed that no majority is left; a model that has is not
               // asked again
  kAllOrders,  // never: every order of every model is asked
};
std::string_view to_string(AskUntil until);  // "unanimous", "majority", "all"
std::optional<AskUntil> parse_ask_until(std::string_view text);

// What a reply says: a place from 0, or one of these.
inline constexpr int kNamesNone = -1;  // words that name no scene, or several
inline constexpr int kRefused = -2;    // blocked for its content: an answer without words

// Different items, and different models of one item with kAllOrders, may be used by different
// threads at the same time.
class VerifyLedger {
 public:
  // `items` outlives the ledger. An item that cannot be asked has no orders. One without an answer
  // is decided from the start, unless all orders are asked.
  VerifyLedger(const AskedItems& items, std::size_t num_models, AskUntil until);

  std::size_t num_models() const { return models_.size(); }
  std::size_t num_orders(std::size_t item) const {
    return first_[item + 1] - first_[item];  // num_scenes!, in the order of scoring::all_orders()
  }
  std::size_t max_orders() const { return max_orders_; }
  const std::vector<scoring::SceneOrder>& orders(std::size_t item) const;
  std::size_t num_requests() const { return first_.back(); }  // of one model
  std::size_t request(std::size_t item, std::size_t order) const { return first_[item] + order; }

  // A reply of a journal: there when it is wanted.
  void know(std::size_t model, std::size_t request, int says);
  std::optional<int> known(std::size_t model, std::size_t request) const;

  // Whether the reply would be looked at. Not after it was taken or the item was set aside.
  bool wants(std::size_t model, std::size_t item, std::size_t order) const;
  // The reply counts from now on. Returns how many requests are wanted no more because of it.
  std::size_t take(std::size_t model, std::size_t item, std::size_t order, int says);
  std::optional<int> taken(std::size_t model, std::size_t request) const;
  // A request got no reply: the item waits for a later run. With kAllOrders only the request does.
  void set_aside(std::size_t model, std::size_t item);

  // Every order of the model was asked, and every reply names the right scene.
  bool agrees(std::size_t model, std::size_t item) const;
  // Requests, of all models, about items that have no answer.
  std::size_t num_unwanted_from_start() const { return unwanted_from_start_; }

 private:
  struct ModelState {
    std::vector<std::uint8_t> replies;        // by request
    std::vector<std::uint8_t> has_disagreed;  // by item
    std::vector<std::uint8_t> is_set_aside;   // by item
  };
  bool is_decided(std::size_t item) const;
  std::size_t num_open(std::size_t model, std::size_t item) const;

  const AskedItems& items_;
  AskUntil until_;
  std::vector<std::uint32_t> first_;                      // by item, and the end
  std::vector<std::vector<scoring::SceneOrder>> orders_;  // by number of scenes
  std::size_t max_orders_ = 0;
  std::size_t unwanted_from_start_ = 0;
  std::vector<ModelState> models_;
};

}  // namespace contra4::pipeline
