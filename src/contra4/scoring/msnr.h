// Multimodal signal over noise ratio: how much of an accuracy is owed to what the model was shown.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "contra4/scoring/accuracy.h"

namespace contra4::scoring {

// (p - m) / m with m the mean of the accuracies without input and with random input; empty when m
// is 0. Source: artemisp/contra4-fork 9ce9dee.
std::optional<double> msnr(double accuracy, double accuracy_no_input, double accuracy_random_input);

struct NamedMsnr {
  std::string name;
  std::optional<double> msnr;  // empty when a run has no items in the cell, or m is 0
};

// One per cell of `run`, in its order; cells are matched by name.
std::vector<NamedMsnr> cell_msnr(std::span<const NamedAccuracy> run,
                                 std::span<const NamedAccuracy> no_input,
                                 std::span<const NamedAccuracy> random_input);

}  // namespace contra4::scoring
