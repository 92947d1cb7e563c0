// A finished data set as a folder that explains itself:
//
//   README.md         the card, with the header of the Hugging Face hub
//   funnel.svg        questions left after each step
//   test.parquet      the questions of a split, one row each, for pandas and the datasets library
//   test.jsonl        the same, one JSON object a line
//   test.json         the same, a list: what `contra4 evaluate --dataset` takes
//   croissant.json    what the files hold, for programs (Croissant 1.0)
//   manifest.json     configuration, seeds, versions, counts, hashes of everything; written last
//
// The same input gives the same bytes: nothing in it tells a time or a place.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "contra4/report/dataset_facts.h"

namespace contra4::report {

struct DatasetSplit {
  std::string name = "test";    // letters, digits and '_'
  std::filesystem::path items;  // of all strategies, with answers; in any schema and format
};

struct DatasetFolderOptions {
  std::filesystem::path folder;  // made when it is not there; files of other names stay
  DatasetInfo info;
  std::vector<DatasetSplit> splits;    // at least one
  std::vector<StrategySteps> steps;    // empty: a set of unknown making
  std::vector<DatasetSource> sources;  // empty: those that the manifests name
  // Labelled items for the priors of the blind rules; empty: another split (one called val or train
  // first), and where there is none the scored questions themselves, which the card then says.
  std::optional<std::filesystem::path> fit;
  // The configuration that took effect, as a JSON object without secrets; empty: left out.
  std::string config_json;
  std::vector<std::string> notes;  // to those of the manifests, for the top of the card
};

struct DatasetFolderOutcome {
  std::uint64_t num_items = 0;
  std::vector<DatasetFile> files;  // in the order in which they were written
  std::vector<std::string> notes;  // what stands at the top of the card
};

// Items go to the three files one by one; of each, a few words stay in memory for the blind rules.
// Every file appears whole or not at all, and manifest.json, taken away first, only when all others
// are there. Throws kInvalidArgument for a malformed row, a row without answer or an id that occurs
// twice (with file, row and id), for names that cannot be, as open_items; kCancelled after a stop.
// Without the Parquet module the .parquet is left out and a note says so.
DatasetFolderOutcome write_dataset_folder(const DatasetFolderOptions& options,
                                          const std::stop_token& stop = {});

}  // namespace contra4::report
