// What evaluate, score and compare share: a set, runs over it, their figures.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <CLI/App.hpp>

#include "contra4/apps/command.h"
#include "contra4/eval/results.h"
#include "contra4/report/leaderboard.h"

namespace contra4::apps {

// Where the published repository keeps the test set; what --dataset means when it is not given.
inline constexpr const char* kDefaultDataset = "data/final_data/test.json";

// --dataset and the published spelling of it.
void add_dataset_flag(CLI::App& app, std::optional<std::filesystem::path>& dataset,
                      const std::string& published_name);
// The flag's value, or kDefaultDataset. Throws UsageError when neither is there.
std::filesystem::path dataset_file(const std::optional<std::filesystem::path>& flag);

// --scoring, as the name of a rule.
void add_scoring_flag(CLI::App& app, std::optional<std::string>& rule);
// --missing-as-wrong.
void add_missing_flag(CLI::App& app, bool& missing_as_wrong);

// In which form a table goes where.
struct TableFlags {
  std::string format = "table";                 // or json, markdown, latex, csv
  std::optional<std::filesystem::path> output;  // else standard output
  bool json = false;                            // the same as format "json"

  std::string_view chosen_format() const { return json ? std::string_view("json") : format; }
};
// --format, --json and --output, in a group of their own; flags added later join it.
void add_table_flags(CLI::App& app, TableFlags& flags);

// Results of each run by `rule`, without it by the run's own rule; MSNR is added where it can be.
// Warnings of the runs go to context.err.
std::vector<eval::Results> results_of(Context& context, const eval::ScoringContext& scoring,
                                      std::span<const eval::Run> runs,
                                      const std::optional<std::string>& rule,
                                      bool missing_as_wrong);

// The leaderboard, without the published rows where they are not wanted.
report::Leaderboard board_of(std::span<const eval::Results> results, bool with_published);

}  // namespace contra4::apps
