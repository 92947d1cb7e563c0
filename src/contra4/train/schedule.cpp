#include "contra4/train/schedule.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace contra4::train {

double learning_rate(const ScheduleOptions& options, double epoch) {
  if (epoch < options.warmup_epochs) return options.peak * epoch / options.warmup_epochs;
  const double decay_epochs = options.epochs - options.warmup_epochs;
  if (decay_epochs <= 0) return options.peak;
  const double progress = std::min(1.0, (epoch - options.warmup_epochs) / decay_epochs);
  return options.floor +
         (options.peak - options.floor) * 0.5 * (1 + std::cos(std::numbers::pi * progress));
}

}  // namespace contra4::train
