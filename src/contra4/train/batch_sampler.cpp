#include "contra4/train/batch_sampler.h"

#include <algorithm>
#include <array>
#include <unordered_map>

#include <fmt/format.h>

#include "contra4/base/error.h"
#include "contra4/base/numpy_random.h"

namespace contra4::train {

namespace {

// Larger ones are mistakes, and every place of a step is in memory.
constexpr std::int64_t kMaxStepSize = 1 << 24;

std::int64_t step_size_of(const BatchSamplerOptions& options) {
  std::int64_t size = 1;
  for (const std::int64_t factor :
       {options.batch_size, std::int64_t{options.num_processes}, options.accumulation}) {
    if (factor < 1 || factor > kMaxStepSize / size) {
      throw Exception(ErrorCode::kInvalidArgument,
                      fmt::format("a step of {} questions x {} processes x {} micro-batches; each "
                                  "is 1 or more, and their product {} at most",
                                  options.batch_size, options.num_processes, options.accumulation,
                                  kMaxStepSize));
    }
    size *= factor;
  }
  return size;
}

std::vector<std::vector<std::int64_t>> group(std::span<const std::int64_t> group_of_item) {
  std::vector<std::vector<std::int64_t>> groups;
  std::unordered_map<std::int64_t, std::size_t> places;
  for (std::size_t item = 0; item < group_of_item.size(); ++item) {
    const auto [place, is_new] = places.try_emplace(group_of_item[item], groups.size());
    if (is_new) groups.emplace_back();
    groups[place->second].push_back(static_cast<std::int64_t>(item));
  }
  return groups;
}

}  // namespace

BatchSampler::BatchSampler(std::span<const std::int64_t> group_of_item,
                           const BatchSamplerOptions& options)
    : groups_(group(group_of_item)), options_(options), step_size_(step_size_of(options)) {
  for (std::vector<std::int64_t>& items : groups_) {
    const std::int64_t rest = std::ssize(items) % step_size_;
    if (options_.is_compat) {
      num_left_out_ += rest;
      items.resize(items.size() - static_cast<std::size_t>(rest));
    }
    steps_per_epoch_ += (std::ssize(items) + step_size_ - 1) / step_size_;
  }
}

std::span<const std::int64_t> BatchSampler::Order::step(std::int64_t number) const {
  const auto place = static_cast<std::size_t>(number);
  return std::span(items).subspan(begins[place], begins[place + 1] - begins[place]);
}

BatchSampler::Order BatchSampler::make_order(std::int64_t epoch) const {
  const auto number = static_cast<std::uint64_t>(epoch);
  NumpyRandom random =
      options_.is_compat ? NumpyRandom(number) : NumpyRandom({options_.seed, number});
  std::vector<std::vector<std::int64_t>> shuffled = groups_;
  for (std::vector<std::int64_t>& items : shuffled) random.shuffle(items);

  std::vector<std::span<const std::int64_t>> steps;
  steps.reserve(static_cast<std::size_t>(steps_per_epoch_));
  const auto step_size = static_cast<std::size_t>(step_size_);
  for (const std::vector<std::int64_t>& items : shuffled) {
    for (std::size_t at = 0; at < items.size(); at += step_size) {
      steps.push_back(std::span(items).subspan(at, std::min(step_size, items.size() - at)));
    }
  }
  random.shuffle(steps);

  Order order{.items = {}, .begins = {0}};
  for (const std::span<const std::int64_t> items : steps) {
    order.items.insert(order.items.end(), items.begin(), items.end());
    order.begins.push_back(order.items.size());
  }
  return order;
}

const BatchSampler::Order& BatchSampler::order(std::int64_t epoch) const {
  if (cached_epoch_ != epoch) {
    cached_order_ = make_order(epoch);
    cached_epoch_ = epoch;
  }
  return cached_order_;
}

StepBatches BatchSampler::step(std::int64_t epoch, std::int64_t step, int rank) const {
  CONTRA4_CHECK(epoch >= 0, "epochs count from 0");
  CONTRA4_CHECK(step >= 0 && step < steps_per_epoch_, "an epoch has not so many steps");
  CONTRA4_CHECK(rank >= 0 && rank < options_.num_processes, "there are not so many processes");
  const std::span<const std::int64_t> items = order(epoch).step(step);
  const std::int64_t count = std::ssize(items);
  StepBatches batches;
  for (std::int64_t of_all = 0; of_all < count;
       of_all += options_.num_processes * options_.batch_size) {
    const std::int64_t first = of_all + rank * options_.batch_size;
    const std::int64_t end = std::min(first + options_.batch_size, count);
    std::vector<BatchPlace>& batch = batches.emplace_back();
    for (std::int64_t place = first; place < end; ++place) {
      batch.push_back({.item = items[static_cast<std::size_t>(place)]});
    }
    if (batch.empty()) {
      batch.push_back({.item = items[static_cast<std::size_t>(first % count)], .counts = false});
    }
  }
  return batches;
}

}  // namespace contra4::train
