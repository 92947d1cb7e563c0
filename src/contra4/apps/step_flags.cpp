#include "contra4/apps/step_flags.h"

#include <algorithm>
#include <ostream>
#include <string_view>

#include <fmt/format.h>

#include "contra4/apps/arguments.h"
#include "contra4/apps/output.h"
#include "contra4/io/json_writer.h"

namespace contra4::apps {

namespace {

constexpr std::string_view kDoneBefore = "done before, nothing to do";

std::string counts_json(const std::string& stage, const std::filesystem::path& output,
                        const pipeline::Counts& counts, const std::vector<std::string>& notes) {
  io::JsonWriter json(2);
  json.begin_object().member("stage", stage).member("output", output.string());
  json.key("counts").begin_object();
  for (const auto& [name, count] : counts) json.member(name, count);
  json.end_object().key("notes").begin_array();
  for (const std::string& note : notes) json.value(note);
  json.end_array().end_object();
  return json.take() + "\n";
}

std::string counts_text(const pipeline::Counts& counts) {
  std::size_t width = 0;
  for (const auto& [name, count] : counts) width = std::max(width, name.size());
  std::string text;
  for (const auto& [name, count] : counts) {
    text += fmt::format("  {:<{}}  {:>9}\n", name, width, grouped(count));
  }
  return text;
}

void tell(Context& context, const StepFlags& flags, const std::string& stage,
          const std::filesystem::path& output, const pipeline::Counts& counts,
          const std::vector<std::string>& notes, std::string_view closing) {
  if (flags.json) write_result(context, {}, counts_json(stage, output, counts, notes));
  if (context.quiet) return;
  context.err << counts_text(counts);
  for (const std::string& note : notes) context.err << "note: " << note << '\n';
  context.err << fmt::format("{}: {}", output.string(), closing) << std::endl;
}

}  // namespace

std::vector<pipeline::StepFiles> StepFlags::files() const {
  const auto part = parse_shard(shard);
  if (!part) throw UsageError("--shard: " + part.error().message);
  if (split.empty() || split.find('/') != std::string::npos) {
    throw UsageError(fmt::format("--split {}: a name such as test or train is wanted", split));
  }
  std::vector<pipeline::StepFiles> files;
  for (const std::string& strategy : strategies) {
    files.push_back({.folder = output_dir,
                     .strategy = strategy,
                     .split = split,
                     .suffix = "." + format,
                     .shard = *part});
  }
  return files;
}

void add_step_flags(CLI::App& app, StepFlags& flags, StepUse use, Sharding sharding) {
  const std::string previous_group = app.option_defaults()->get_group();
  app.option_defaults()->group("Step");
  if (use == StepUse::kOneStrategy) {
    flags.strategies = {"random"};
    app.add_option("--strategy", flags.strategies, "how scenes were put together")
        ->type_name("NAME")
        ->expected(1)
        ->transform(one_of({"random", "similarity"}))
        ->capture_default_str();
  } else {
    flags.strategies = {"random", "similarity"};
    app.add_option("--strategies,--strategy", flags.strategies,
                   "how scenes were put together; several with commas")
        ->type_name("NAMES")
        ->delimiter(',')
        ->transform(one_of({"random", "similarity"}))
        ->capture_default_str();
  }
  app.add_option("--split", flags.split, "part of the names of files: test, train, val")
      ->type_name("NAME")
      ->capture_default_str();
  app.add_option("--output-dir", flags.output_dir, "where the files of all steps lie")
      ->type_name("DIR")
      ->capture_default_str();
  app.add_option("--format", flags.format, "of the files written; all are read")
      ->type_name("SUFFIX")
      ->transform(one_of({"json", "json.gz", "jsonl", "jsonl.gz"}))
      ->capture_default_str();
  if (sharding == Sharding::kYes) {
    app.add_option("--shard", flags.shard,
                   "the I-th of N parts; `contra4 dataset merge` puts them together")
        ->type_name("I/N")
        ->capture_default_str();
  }
  app.add_flag("--overwrite", flags.overwrite, "start anew, whatever was done");
  app.add_flag("--dry-run", flags.dry_run, "say what would be done");
  app.add_flag("--json", flags.json, "counts as JSON on standard output");
  app.option_defaults()->group(previous_group);
}

pipeline::WhenChanged when_changed(const StepFlags& flags, const Context& context) {
  return flags.overwrite ? pipeline::WhenChanged::kOverwrite : context.when_changed;
}

int report_step(Context& context, const StepFlags& flags, const std::string& stage,
                const std::filesystem::path& output, const pipeline::StepOutcome& outcome) {
  if (outcome.is_cancelled) {
    throw Exception(
        ErrorCode::kCancelled,
        fmt::format("interrupted; what was done is kept, and the same command goes on"));
  }
  if (outcome.num_failed > 0) {
    tell(context, flags, stage, output, outcome.counts, outcome.notes,
         fmt::format("not finished: {} without a reply; the same command asks those again",
                     counted(outcome.num_failed, "request")));
    return kExitSomeFailed;
  }
  tell(context, flags, stage, output, outcome.counts, outcome.notes,
       outcome.was_done_before ? kDoneBefore : "written");
  return kExitDone;
}

int report_done(Context& context, const StepFlags& flags, const pipeline::Stage& stage) {
  const pipeline::Manifest& manifest = stage.manifest();
  tell(context, flags, manifest.stage, stage.output(), manifest.counts, manifest.notes,
       kDoneBefore);
  return kExitDone;
}

}  // namespace contra4::apps
