// Time as a parameter, so that waiting code is tested without waiting.
#pragma once

#include <chrono>

namespace contra4 {

// Monotonic time. Implementations may be called from several threads.
class Clock {
 public:
  using Duration = std::chrono::steady_clock::duration;
  using TimePoint = std::chrono::steady_clock::time_point;
  virtual ~Clock() = default;
  virtual TimePoint now() const = 0;
};

class SystemClock final : public Clock {
 public:
  TimePoint now() const override { return std::chrono::steady_clock::now(); }
};

}  // namespace contra4
