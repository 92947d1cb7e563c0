// What the steps of the pipeline have in common on the command line.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include <CLI/App.hpp>

#include "contra4/apps/command.h"
#include "contra4/pipeline/stage.h"
#include "contra4/pipeline/step_files.h"

namespace contra4::apps {

struct StepFlags {
  std::filesystem::path output_dir = "data";
  std::vector<std::string> strategies;  // one or several, see StepUse
  std::string split = "test";
  std::string format = "json";  // of the files written: json, json.gz, jsonl, jsonl.gz
  std::string shard = "1/1";
  bool overwrite = false;
  bool dry_run = false;
  bool json = false;

  // One per strategy.
  std::vector<pipeline::StepFiles> files() const;
};

enum class StepUse {
  kOneStrategy,     // --strategy
  kManyStrategies,  // --strategies random,similarity; both by default
};
enum class Sharding { kYes, kNo };
void add_step_flags(CLI::App& app, StepFlags& flags, StepUse use, Sharding sharding);

pipeline::WhenChanged when_changed(const StepFlags& flags, const Context& context);

// The closing words of a step: its counts on standard error (as JSON on standard output with
// --json), its notes, what failed and what to do. Gives the exit code: 0; 3 when requests failed;
// 1 after an interruption.
int report_step(Context& context, const StepFlags& flags, const std::string& stage,
                const std::filesystem::path& output, const pipeline::StepOutcome& outcome);
// The same for a step that was done before.
int report_done(Context& context, const StepFlags& flags, const pipeline::Stage& stage);

}  // namespace contra4::apps
