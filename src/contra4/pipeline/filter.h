// The filters between round-trip consistency and the finished set: which questions hold no word
// that gives a scene away, and which of them each model, most models or all models answer rightly,
// in the file's order and in every order. docs/filters.md tells them in full.
#pragma once

#include <cstddef>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "contra4/io/bulk_file.h"
#include "contra4/pipeline/model_rows.h"
#include "contra4/pipeline/stage.h"
#include "contra4/pipeline/step_files.h"
#include "contra4/pipeline/word_list.h"

namespace contra4::pipeline {

struct FilterOptions {
  std::vector<std::string> models;  // in the order of the joined members; at most kMaxFilterModels
  bool compat = false;              // the published letter rule, and a majority of two
  std::vector<std::string> words;   // of the word filter, see parse_word_list
  WordMatch match = WordMatch::kAnywhere;
  io::Durability durability = io::Durability::kSynced;
  WhenChanged when_changed = WhenChanged::kRefuse;
};
inline constexpr std::size_t kMaxFilterModels = 24;

// Two under --compat, else more than half of them.
std::size_t majority_of(std::size_t num_models, bool compat);

// "unanimous_permute", the strictest one, comes first: its file names manifest and dropped rows.
std::vector<std::string> filter_names(const std::vector<std::string>& models);
// That file.
std::filesystem::path filter_stage_output(const StepFiles& files);

// The step over files.answers_of() each model (with whatever suffix is there), which writes
// files.filtered() each of filter_names(). Throws kInvalidArgument for files that were made from
// different questions.
Stage open_filter(const StepFiles& files, const FilterOptions& options);
// Does it, unless it is done. Throws kInvalidArgument for files of different runs (rows with other
// ids) and for rows that cannot be read. Progress has no total: rows are counted as they come.
StepOutcome run_filter(Stage& stage, const StepFiles& files, const FilterOptions& options,
                       const StepProgressCallback& progress, const std::stop_token& stop);

// Everything that decided about one item, for people: its question and the words hit, what each
// model said in each order, how that was read, and what every filter made of it. Throws kNotFound
// for an id that is not there.
std::string explain_item(const StepFiles& files, const FilterOptions& options, std::string_view id);

}  // namespace contra4::pipeline
