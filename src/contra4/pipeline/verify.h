// Step 4, round-trip consistency: every question is put to several models with its scenes in every
// order. A question that is answerable, and whose answer is right, gets that answer from each of
// them whatever the order.
//
// Asking stops where more replies change nothing. Which requests are asked is the same whenever the
// replies are: in round r, the r-th order is asked; an item's models take turns in a sequence that
// its id decides, each asked only if the replies before it leave the item's fate open. All models
// work at the same time, on different items. Neither timing nor shards nor interruptions have a
// say.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <span>
#include <stop_token>
#include <string>
#include <vector>

#include "contra4/inference/answerer.h"
#include "contra4/pipeline/stage.h"
#include "contra4/pipeline/step_files.h"
#include "contra4/pipeline/verify_ledger.h"
#include "contra4/pipeline/verify_replies.h"

namespace contra4::pipeline {

struct VerifyModel {
  std::string name;              // "llama": part of the names of files and members
  Answerer* answerer = nullptr;  // null: nothing is asked
  // Journals whose replies stand for the model's, in place of asking.
  std::vector<std::filesystem::path> replayed = {};
};

struct VerifyOptions {
  StepFiles files;
  // Which file of questions, and which of its rows: see find_questions().
  std::filesystem::path questions;
  Shard rows{};
  AskUntil until = AskUntil::kUnanimous;
  ReadingRule reading = ReadingRule::kChoice;
  std::uint64_t seed = 0;               // each request's own is made of it, id and order
  std::vector<std::string> notes = {};  // for the manifest
  // Decides without the requests that get no reply: their items do not agree. For what fails
  // however often it is asked, such as a question that is too long for one of the models.
  bool accepts_failures = false;
};

// The step2_3 file below `folder`: the whole one, of which a shard takes its range; else the
// shard's own. Throws kNotFound naming `contra4 generate`.
void find_questions(VerifyOptions& options, const std::filesystem::path& folder);

// The journals of a model's replies in a step4 folder, or in the step4 below a folder: those of the
// run that the manifest there tells of, else the only ones; shards together. A path of a file is
// that file. Throws kNotFound, and kInvalidArgument where several runs left journals.
std::vector<std::filesystem::path> find_replies(const std::filesystem::path& where,
                                                const StepFiles& files, std::string_view model);

// Throws kInvalidArgument for names that cannot be part of files, or that occur twice, and where
// another run of verify made one of the files to be written.
Stage open_verify(const VerifyOptions& options, std::span<const VerifyModel> models,
                  WhenChanged when_changed);

// Asks what is not journaled yet, then writes one file per model with all items in their order:
// `answer_NAME` has an entry per order, null where it was not asked. When requests got no reply,
// they are named in the notes, nothing is written, and the next run asks them again, unless
// failures are accepted. `progress` is
// called on the calling thread. Exceptions of a model stop the others and pass through; what was
// answered is kept.
StepOutcome verify(Stage& stage, const VerifyOptions& options, std::span<const VerifyModel> models,
                   const StepProgressCallback& progress, std::stop_token stop);

// Requests that would be asked at most, of all models together.
std::int64_t count_verify_requests(const VerifyOptions& options, std::size_t num_models);

}  // namespace contra4::pipeline
