// Which items to leave out so that knowing the modalities alone does not tell the right scene.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "contra4/data/modality.h"

namespace contra4::pipeline {

// What a rule sees that goes by modalities: those of the scenes as a set, and the right one.
struct ModalityChoice {
  std::uint8_t present = 0;  // bit of each Modality among the scenes
  std::uint8_t num_scenes = 0;
  Modality right = Modality::kAudio;
};

// The best of the 24 orders in which a blind rule may prefer modalities (scoring::ModalityPrior).
struct BestOrder {
  std::array<Modality, 4> order{};
  double accuracy = 0;
  double chance = 0;  // the mean of 1 / number of scenes
};
BestOrder best_modality_order(std::span<const ModalityChoice> choices);

// Indices to leave out, ascending, so that the best order is at most `margin` above chance on the
// rest. Takes from the modality that is right too often in its combination, while its order is the
// best one; within such a cell the seed decides. Empty where nothing needs to go.
std::vector<std::size_t> uneven_items(std::span<const ModalityChoice> choices, double margin,
                                      std::uint64_t seed);

}  // namespace contra4::pipeline
