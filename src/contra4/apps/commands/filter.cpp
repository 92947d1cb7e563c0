#include "contra4/apps/commands/filter.h"

#include <algorithm>
#include <filesystem>
#include <memory>
#include <optional>
#include <ostream>
#include <string>
#include <system_error>
#include <vector>

#include <fmt/format.h>
#include <CLI/App.hpp>

#include "contra4/apps/arguments.h"
#include "contra4/apps/output.h"
#include "contra4/apps/progress.h"
#include "contra4/apps/step_flags.h"
#include "contra4/base/clock.h"
#include "contra4/base/error.h"
#include "contra4/io/file.h"
#include "contra4/pipeline/filter.h"

namespace contra4::apps {

namespace {

struct Flags {
  StepFlags step;
  std::vector<std::string> models = {"llama", "mistral", "phi"};
  std::optional<std::filesystem::path> word_list;
  std::optional<std::string> explain;
  bool whole_words = false;
  bool compat = false;
  bool no_sync = false;
};

pipeline::FilterOptions options_of(const Flags& flags, const Context& context) {
  pipeline::FilterOptions options;
  options.models = flags.models;
  options.compat = flags.compat;
  options.words =
      flags.word_list
          ? pipeline::parse_word_list(io::read_file(*flags.word_list), flags.word_list->string())
          : pipeline::parse_word_list(pipeline::default_word_list(), "word list");
  options.match =
      flags.whole_words ? pipeline::WordMatch::kWholeWords : pipeline::WordMatch::kAnywhere;
  options.durability = flags.no_sync ? io::Durability::kUnsynced : io::Durability::kSynced;
  options.when_changed = when_changed(flags.step, context);
  return options;
}

// In the file of the strategy that knows the id; those that are not there are passed over.
int explain(const Flags& flags, const pipeline::FilterOptions& options, Context& context) {
  std::optional<Error> last;
  for (const pipeline::StepFiles& files : flags.step.files()) {
    try {
      write_result(context, {}, pipeline::explain_item(files, options, *flags.explain));
      return kExitDone;
    } catch (const Exception& error) {
      if (error.code() != ErrorCode::kNotFound) throw;
      last = error.error();
    }
  }
  throw Exception(*last);
}

int dry_run(const Flags& flags, const pipeline::FilterOptions& options, Context& context) {
  std::string text;
  for (const pipeline::StepFiles& files : flags.step.files()) {
    for (const std::string& model : options.models) {
      const auto path = pipeline::find_step_file(
          files.answers_of(model), fmt::format("contra4 verify --model {}=SPEC", model));
      text += fmt::format("reads  {}\n", path.string());
    }
    for (const std::string& name : pipeline::filter_names(options.models)) {
      text += fmt::format("writes {}\n", files.filtered(name).string());
    }
  }
  write_result(context, {}, text);
  return kExitDone;
}

int run_filter(const Flags& flags, Context& context) {
  const auto options = options_of(flags, context);
  if (flags.explain) return explain(flags, options, context);
  if (flags.step.dry_run) return dry_run(flags, options, context);
  const SystemClock clock;
  int code = kExitDone;
  for (const pipeline::StepFiles& files : flags.step.files()) {
    auto stage = pipeline::open_filter(files, options);
    if (stage.is_done()) {
      code = std::max(code, report_done(context, flags.step, stage));
      continue;
    }
    pipeline::StepOutcome outcome;
    {
      ProgressLine line(context, clock);
      outcome = pipeline::run_filter(
          stage, files, options,
          [&](const pipeline::StepProgress& progress) { line.update(progress); }, context.stop);
    }
    code = std::max(code, report_step(context, flags.step, "filter", stage.output(), outcome));
  }
  return code;
}

}  // namespace

RunCommand add_filter_command(CLI::App& app) {
  auto flags = std::make_shared<Flags>();
  app.description(
      "Keeps the questions that hold no word which gives a scene away, and of those the ones that "
      "each model, most models or all models answer rightly: in the file's order, and in every "
      "order of the scenes. Each row that is not in the strictest file has its reason beside it, "
      "in "
      "unanimous_permute_....dropped.jsonl.");
  app.add_option("--models", flags->models, "whose answers of `contra4 verify` are joined; commas")
      ->type_name("NAMES")
      ->delimiter(',')
      ->capture_default_str();
  app.add_option("--word-list", flags->word_list,
                 "words that a question must not hold, one a line [default: the published 36]")
      ->type_name("FILE")
      ->check(CLI::ExistingFile);
  app.add_flag("--whole-words", flags->whole_words,
               "find them as whole words only: \"hear\" is not in \"heart\"");
  app.add_option("--explain", flags->explain,
                 "write nothing; show all that decided about the item of this id")
      ->type_name("ID");
  app.add_flag("--compat", flags->compat,
               "as the published script: its rule for letters, and two models are a majority");
  app.add_flag(
      "--no-sync", flags->no_sync,
      "do not wait until the files are on the disk; quicker, not safe from power failures");
  add_step_flags(app, flags->step, StepUse::kManyStrategies, Sharding::kNo);
  app.footer(
      "Examples:\n"
      "  contra4 filter --models llama,mistral,phi --split test\n"
      "  contra4 filter --models llama,phi --strategy random --whole-words\n"
      "  contra4 filter --models llama,mistral,phi --explain random_371627\n"
      "  contra4 filter --models llama,mistral,phi --compat");
  return [flags](Context& context) { return run_filter(*flags, context); };
}

}  // namespace contra4::apps
