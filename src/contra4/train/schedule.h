// The learning rate over a training.
#pragma once

#include <cstdint>

namespace contra4::train {

struct ScheduleOptions {
  double peak = 1e-7;
  double floor = 1e-10;
  double warmup_epochs = 1;
  double epochs = 1;
};

// After so many epochs (with a fraction, 0 or more): up from 0 in a line over the warm-up, then
// down to the floor by half a cosine; what comes after the last epoch stays there. A warm-up as
// long as the training, or longer, leaves the ramp alone, as published with its own defaults: so
// the very first step moves nothing. Where such a ramp is at its end the rate is the peak (the
// published script divides by 0 there). Source: csuhan/OneLLM 8587a47, util/lr_sched.py,
// adjust_learning_rate_epoch.
double learning_rate(const ScheduleOptions& options, double epoch);

}  // namespace contra4::train
