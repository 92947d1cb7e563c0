// A clock that stands still until it is told otherwise.
#pragma once

#include "contra4/base/clock.h"

namespace contra4::testing {

class FakeClock final : public Clock {
 public:
  TimePoint now() const override { return now_; }
  void advance(Duration duration) { now_ += duration; }

 private:
  TimePoint now_{std::chrono::hours(1)};  // time points of zero are in the past
};

}  // namespace contra4::testing
