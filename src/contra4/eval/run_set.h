// Predictions as the command line names them: files, run folders, and folders that are the shards
// of one run, which are put together again.
#pragma once

#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "contra4/data/item_reader.h"
#include "contra4/eval/predictions.h"
#include "contra4/eval/run_folder.h"
#include "contra4/eval/run_summary.h"

namespace contra4::eval {

// One run to be scored.
struct Run {
  std::string name;  // the model, else the name of the file; unique within a set
  std::vector<std::filesystem::path> paths;  // several: merged shards
  std::optional<StoredConfig> config;        // of the first folder; empty for a file
  PredictionSet predictions;
  std::optional<RunSummary> summary;  // of a folder that has its journal
  std::vector<std::size_t> selected;  // items the run was to answer, ascending; all for a file
  std::vector<std::string> warnings;  // a missing shard, another dataset, ...
};

// Folders whose configurations differ in nothing but the shard become one run. Throws as
// read_predictions and read_config; kInvalidArgument when the same shard is given twice, or when a
// folder's dataset has another hash and not one of its ids is known.
std::vector<Run> load_runs(std::span<const std::filesystem::path> paths,
                           const data::Dataset& dataset);

}  // namespace contra4::eval
