#include "contra4/clients/adaptive_limiter.h"

#include <algorithm>

#include <fmt/format.h>

#include "contra4/base/error.h"

namespace contra4::clients {

namespace {

// Below it a slower window is the client's own queueing, not a server under load.
constexpr double kUnremarkableLatencyS = 0.05;
// The best latency is forgotten slowly, so that a server that has become slower for good (longer
// prompts, a busier hour) is measured against its own present.
constexpr double kForgettingPerWindow = 1.01;
constexpr double kSlowDecrease = 0.75;

}  // namespace

AdaptiveLimiter::AdaptiveLimiter(const LimiterOptions& options, const Clock& clock)
    : options_(options), clock_(clock), limit_(options.start), window_size_(options.start) {
  if (options.floor < 1 || options.start < options.floor || options.ceiling < options.start) {
    throw Exception(
        ErrorCode::kInvalidArgument,
        fmt::format("[limiter] concurrency needs 1 <= floor <= start <= ceiling, not {}, {}, {}",
                    options.floor, options.start, options.ceiling));
  }
  if (!(options.latency_tolerance == 0 || options.latency_tolerance > 1)) {
    throw Exception(ErrorCode::kInvalidArgument,
                    fmt::format("[limiter] latency tolerance {} is neither 0 nor above 1",
                                options.latency_tolerance));
  }
}

Clock::TimePoint AdaptiveLimiter::begin() {
  ++in_flight_;
  return clock_.now();
}

void AdaptiveLimiter::succeeded(Clock::TimePoint begun) {
  CONTRA4_CHECK(in_flight_ > 0, "an end without a begin");
  // A limit that is not used is no evidence that more would go well.
  const bool is_used = in_flight_ * 2 >= limit();
  --in_flight_;
  ++window_replies_;
  window_latency_s_ += std::chrono::duration<double>(clock_.now() - begun).count();
  if (is_used && !is_held_) limit_ += is_slow_start_ ? 1 : 1 / limit_;
  limit_ = std::min(limit_, static_cast<double>(options_.ceiling));
  if (window_replies_ >= window_size_) close_window();
}

void AdaptiveLimiter::rate_limited(Clock::TimePoint begun) {
  CONTRA4_CHECK(in_flight_ > 0, "an end without a begin");
  --in_flight_;
  if (has_decreased_ && begun <= last_decrease_) return;
  limit_ = std::max(limit_ / 2, static_cast<double>(options_.floor));
  is_slow_start_ = false;
  has_decreased_ = true;
  last_decrease_ = clock_.now();
  open_window();
}

void AdaptiveLimiter::failed() {
  CONTRA4_CHECK(in_flight_ > 0, "an end without a begin");
  --in_flight_;
}

void AdaptiveLimiter::open_window() {
  window_size_ = limit();
  window_replies_ = 0;
  window_latency_s_ = 0;
}

void AdaptiveLimiter::close_window() {
  const double mean_s = window_latency_s_ / window_replies_;
  is_held_ = false;
  if (options_.latency_tolerance > 0 && best_latency_s_ > 0 && mean_s > kUnremarkableLatencyS) {
    const double slow_s = options_.latency_tolerance * best_latency_s_;
    is_held_ = mean_s > slow_s;
    if (mean_s > 2 * slow_s) {
      limit_ = std::max(limit_ * kSlowDecrease, static_cast<double>(options_.floor));
      is_slow_start_ = false;
    }
  }
  best_latency_s_ =
      best_latency_s_ > 0 ? std::min(best_latency_s_ * kForgettingPerWindow, mean_s) : mean_s;
  open_window();
}

}  // namespace contra4::clients
