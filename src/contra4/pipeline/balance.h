// The right scenes of the filtered questions, spread evenly over the places (and, if asked for, no
// longer to be told from the modalities). docs/filters.md tells the rules in full.
#pragma once

#include <array>
#include <cstdint>
#include <stop_token>
#include <string>
#include <vector>

#include "contra4/io/bulk_file.h"
#include "contra4/pipeline/modality_evenness.h"
#include "contra4/pipeline/stage.h"
#include "contra4/pipeline/step_files.h"
#include "contra4/scoring/blind_rules.h"

namespace contra4::pipeline {

struct BalanceOptions {
  bool compat = false;       // as published: by the sequence of rows; replies stay where they were
  bool by_position = true;   // each place is right equally often, per number of scenes
  bool by_modality = false;  // leave rows out until the best blind order of modalities is at most
                             // two points above chance
  std::uint64_t seed = 42;
  io::Durability durability = io::Durability::kSynced;
  WhenChanged when_changed = WhenChanged::kRefuse;
};

// How a file's right scenes are spread.
struct BalanceState {
  std::int64_t rows = 0;
  // [number of scenes][place]
  std::array<std::array<std::int64_t, 4>, 5> positions{};
  std::array<std::int64_t, 4> modalities{};  // of the right scenes, as kModalities
  BestOrder best_order;
  // Rules that know no medium, fitted on these very rows: what a model could learn from them.
  std::vector<scoring::BlindRow> blind;
};

struct BalanceOutcome {
  StepOutcome step;
  // Empty when the step was done before.
  std::vector<BalanceState> before_and_after;
};

// The step over files.filtered("unanimous_permute"), which writes files.balanced().
Stage open_balance(const StepFiles& files, const BalanceOptions& options);
// Does it, unless it is done. Throws kInvalidArgument for rows that cannot be read.
BalanceOutcome run_balance(Stage& stage, const StepFiles& files, const BalanceOptions& options,
                           const std::stop_token& stop);

}  // namespace contra4::pipeline
