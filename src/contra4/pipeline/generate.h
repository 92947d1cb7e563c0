// Steps 2 and 3: a question about the scenes of each tuple, then the answer to it, written by a
// language model, or by rules where there is none.
//
// Both phases are stages of their own: step2/ holds the questions, step2_3/ the questions with
// their answers, so that another prompt for answers leaves the questions alone. A reply that is no
// question (or names no scene) is asked for again with another seed. What becomes of an item
// depends on its replies alone, never on the order in which they came.
#pragma once

#include <cstdint>
#include <filesystem>
#include <stop_token>
#include <string>
#include <vector>

#include "contra4/inference/text_generator.h"
#include "contra4/io/journal.h"
#include "contra4/pipeline/question_rules.h"
#include "contra4/pipeline/stage.h"
#include "contra4/pipeline/step_files.h"
#include "contra4/pipeline/writer_prompt.h"

namespace contra4::pipeline {

// Who writes the texts of one phase.
struct Writer {
  TextGenerator* generator = nullptr;  // null: the rules of rule_writer.h
  WriterPrompt prompt;                 // of a generator
  PromptForm form = PromptForm::kChat;
};

struct GenerateOptions {
  StepFiles files;
  Writer questions;
  Writer answers;
  QuestionBounds bounds;
  int max_attempts = 3;    // replies asked for one text before its item is dropped
  std::uint64_t seed = 0;  // each request's own is made of it, id, phase and attempt
  io::JournalOptions journal{};
  WhenChanged when_changed = WhenChanged::kRefuse;
};

// Where the tuples are: the shard's own file, if there is one; else the whole file, of which the
// shard takes its range of rows.
struct TuplesFile {
  std::filesystem::path path;
  Shard rows{};
};
// Throws kNotFound naming `contra4 sample`.
TuplesFile find_tuples(const StepFiles& files);

// Does what is not done. Requests without a reply are counted in num_failed and asked again by the
// next run; the outputs are written once there are none. Throws kInvalidArgument for tuples that
// cannot be read, with file and row, and for an id that occurs twice. Exceptions of a generator
// pass through; what was answered is kept.
StepOutcome generate(const GenerateOptions& options, const StepProgressCallback& progress,
                     const std::stop_token& stop);

// What generate() would ask at least, with one reply per text.
struct GeneratePreview {
  std::int64_t num_items = 0;
  std::int64_t num_requests = 0;  // 0 where rules write
  GenerateRequest question;       // of the first item; no messages where rules write
};
GeneratePreview preview_generate(const GenerateOptions& options);

}  // namespace contra4::pipeline
