// Models, blind rules and published figures in one table, best first.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "contra4/eval/results.h"
#include "contra4/report/table.h"

namespace contra4::report {

enum class EntryKind { kModel, kBlind, kPublished };
std::string_view to_string(EntryKind kind);  // "model", "blind", "published"

struct LeaderboardCell {
  double accuracy = 0;
  // Empty for published figures, which came without.
  std::optional<scoring::Accuracy> measured;
};

// The columns of a leaderboard: the cells of results.json.
inline constexpr std::array<std::string_view, 9> kLeaderboardCells = {
    "all",         "random",          "similarity",      "mc_2/random",    "mc_3/random",
    "mc_4/random", "mc_2/similarity", "mc_3/similarity", "mc_4/similarity"};

struct LeaderboardEntry {
  EntryKind kind = EntryKind::kModel;
  std::string name;
  // What it was shown, "oracle-captions"; empty: a rule that sees nothing, or not known (a file).
  std::string input;
  std::string note;  // "not fitted: ...", "items without 3D"; empty: none
  std::array<std::optional<LeaderboardCell>, kLeaderboardCells.size()> cells;
  // Over the best blind rule on the same items; of models only.
  std::optional<eval::Gain> gain;
  bool is_partial = false;      // over a part of its items alone; marked by a star
  bool is_expectation = false;  // chance: exact, so without an interval
};

struct Leaderboard {
  std::string dataset;
  std::int64_t num_items = 0;             // that the widest run was to answer
  std::int64_t num_scored = 0;            // of them, scored; the blind rules are of these
  std::vector<LeaderboardEntry> entries;  // by accuracy on all, best first; then those without one
  std::vector<std::string> notes;         // what a reader has to know: partial runs, unfitted rules
};

// Blind rules are those of the run that scored the most items. Published rows appear when the set
// is the published test set, told by its cells, and nine tenths of it or more are scored.
Leaderboard make_leaderboard(std::span<const eval::Results> results);

// For reading: accuracies in per cent, the 95% interval of `all`.
Table leaderboard_table(const Leaderboard& board);
// For further work: one line per entry and cell with every number of it.
Table leaderboard_data(const Leaderboard& board);
std::string leaderboard_json(const Leaderboard& board);

}  // namespace contra4::report
