// Which questions a run asks: the items that its limit and shard leave, each in its orders.
// Requests are numbered without being stored, so that a plan of a million costs eight bytes an
// item.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "contra4/base/shard.h"
#include "contra4/data/item.h"
#include "contra4/eval/orders.h"

namespace contra4::eval {

struct PlanOptions {
  Permutations permutations = Permutations::kNone;
  Shard shard{};                        // items index - 1, index - 1 + count, ... of the set
  std::optional<std::int64_t> limit{};  // the first so many items of the shard; empty: all
};

struct PlannedRequest {
  std::size_t item = 0;  // index into the items of the set
  SceneOrder order;
};

class RequestPlan {
 public:
  // Keeps a reference: `items` outlives the plan.
  RequestPlan(std::span<const Item> items, const PlanOptions& options);

  std::span<const Item> items() const { return items_; }
  // Indices into items(), ascending.
  std::size_t num_items() const { return selected_.size(); }
  std::size_t item_at(std::size_t position) const { return selected_[position]; }

  std::size_t num_requests() const { return first_request_.back(); }
  // Requests of one item follow each other, in the order of scene_orders().
  PlannedRequest request(std::size_t number) const;
  // Position of the item of a request among the selected ones.
  std::size_t position_of(std::size_t number) const;
  // The requests of a selected item: [first, last).
  std::size_t first_request(std::size_t position) const { return first_request_[position]; }
  std::size_t last_request(std::size_t position) const { return first_request_[position + 1]; }

  // Looks requests up by name; made when a journal is read and dropped again.
  class Finder {
   public:
    explicit Finder(const RequestPlan& plan);
    std::optional<std::size_t> find(std::string_view item_id, std::string_view order_name) const;

   private:
    const RequestPlan& plan_;
    std::unordered_map<std::string_view, std::uint32_t> positions_;
  };

 private:
  const std::vector<SceneOrder>& orders_of(std::size_t position) const;
  std::span<const Item> items_;
  std::vector<std::uint32_t> selected_;
  std::vector<std::uint32_t> first_request_;     // one more than selected_
  std::vector<std::vector<SceneOrder>> orders_;  // by number of scenes
};

}  // namespace contra4::eval
