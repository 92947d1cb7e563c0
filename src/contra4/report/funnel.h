// How many questions were left after each step, per strategy: as numbers and as a picture.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "contra4/report/dataset_facts.h"

namespace contra4::report {

struct FunnelStep {
  std::string name;  // "verify"
  std::int64_t count = 0;
};

struct Funnel {
  std::string strategy;
  std::vector<FunnelStep> steps;
};

// What came out of each step, in their order, under their labels.
Funnel funnel_of(const StrategySteps& steps);

// All steps of all funnels, each once, in an order that keeps that of each.
std::vector<std::string> step_names(std::span<const Funnel> funnels);
// Empty when the funnel has no such step.
std::optional<std::int64_t> count_after(const Funnel& funnel, std::string_view step);

// "12,345 (56.1%)": of the first step; without a share where that is nothing.
std::string count_and_share(const Funnel& funnel, std::int64_t count);

// A picture of its own: one row a step, one column a strategy, bars in proportion to the first
// step's count, numbers beside them. Follows the reader's light or dark setting, has a title and a
// description for who cannot see it, needs no font in particular. Well-formed whatever the names.
std::string funnel_svg(std::string_view title, std::span<const Funnel> funnels);

}  // namespace contra4::report
