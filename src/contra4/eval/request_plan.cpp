#include "contra4/eval/request_plan.h"

#include <algorithm>

#include <fmt/format.h>

namespace contra4::eval {

RequestPlan::RequestPlan(std::span<const Item> items, const PlanOptions& options) : items_(items) {
  orders_.resize(kMaxScenes + 1);
  for (int n = 1; n <= kMaxScenes; ++n) {
    orders_[static_cast<std::size_t>(n)] = scene_orders(n, options.permutations);
  }
  const auto step = static_cast<std::size_t>(options.shard.count);
  first_request_.push_back(0);
  for (auto item = static_cast<std::size_t>(options.shard.index - 1); item < items.size();
       item += step) {
    if (options.limit && selected_.size() >= static_cast<std::size_t>(*options.limit)) break;
    const std::size_t num_scenes = items[item].scenes.size();
    if (num_scenes < 1 || num_scenes > kMaxScenes) {
      throw Exception(ErrorCode::kInvalidArgument,
                      fmt::format("item '{}': {} scenes, a question has {} to {}",
                                  items[item].id.text, num_scenes, kMinScenes, kMaxScenes));
    }
    selected_.push_back(static_cast<std::uint32_t>(item));
    first_request_.push_back(first_request_.back() +
                             static_cast<std::uint32_t>(orders_[num_scenes].size()));
  }
}

const std::vector<SceneOrder>& RequestPlan::orders_of(std::size_t position) const {
  return orders_[items_[selected_[position]].scenes.size()];
}

std::size_t RequestPlan::position_of(std::size_t number) const {
  CONTRA4_CHECK(number < num_requests(), "request outside the plan");
  const auto after = std::upper_bound(first_request_.begin(), first_request_.end(), number);
  return static_cast<std::size_t>(after - first_request_.begin()) - 1;
}

PlannedRequest RequestPlan::request(std::size_t number) const {
  const std::size_t position = position_of(number);
  return {selected_[position], orders_of(position)[number - first_request_[position]]};
}

RequestPlan::Finder::Finder(const RequestPlan& plan) : plan_(plan) {
  positions_.reserve(plan.num_items());
  for (std::size_t position = 0; position < plan.num_items(); ++position) {
    positions_.emplace(plan.items_[plan.selected_[position]].id.text,
                       static_cast<std::uint32_t>(position));
  }
}

std::optional<std::size_t> RequestPlan::Finder::find(std::string_view item_id,
                                                     std::string_view order_name) const {
  const auto found = positions_.find(item_id);
  if (found == positions_.end()) return std::nullopt;
  const std::vector<SceneOrder>& orders = plan_.orders_of(found->second);
  for (std::size_t i = 0; i < orders.size(); ++i) {
    if (eval::order_name(orders[i]) == order_name) return plan_.first_request(found->second) + i;
  }
  return std::nullopt;
}

}  // namespace contra4::eval
