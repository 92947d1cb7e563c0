// How many requests one endpoint is given at a time: grows while replies come well, shrinks when
// the server says "too many" or slows down (additive increase, multiplicative decrease).
#pragma once

#include <chrono>
#include <cstddef>

#include "contra4/base/clock.h"

namespace contra4::clients {

struct LimiterOptions {
  int start = 16;
  int floor = 1;
  int ceiling = 256;
  // Replies slower than this multiple of the best window seen hold the limit; twice as slow lower
  // it. 0: latency is not looked at.
  double latency_tolerance = 4;
};

class AdaptiveLimiter {
 public:
  // Throws kInvalidArgument unless 1 <= floor <= start <= ceiling.
  AdaptiveLimiter(const LimiterOptions& options, const Clock& clock);

  bool has_room() const { return in_flight_ < limit(); }
  int limit() const { return static_cast<int>(limit_); }
  int in_flight() const { return in_flight_; }

  // Bracket each call. The token tells replies to requests sent before the last decrease, which do
  // not decrease again.
  Clock::TimePoint begin();
  void succeeded(Clock::TimePoint begun);
  void rate_limited(Clock::TimePoint begun);  // 429, 503: halves
  void failed();                              // says nothing about load
  // Forgets those in flight, as after Transport::cancel_all().
  void reset_in_flight() { in_flight_ = 0; }

 private:
  void open_window();
  void close_window();

  LimiterOptions options_;
  const Clock& clock_;
  double limit_;
  int in_flight_ = 0;
  bool is_slow_start_ = true;  // +1 per reply until the first decrease, then +1 per window
  bool is_held_ = false;       // by latency
  Clock::TimePoint last_decrease_{};
  bool has_decreased_ = false;
  // Mean latency over windows of as many replies as the limit was when they opened.
  int window_size_;
  int window_replies_ = 0;
  double window_latency_s_ = 0;
  double best_latency_s_ = 0;  // 0: none yet
};

}  // namespace contra4::clients
