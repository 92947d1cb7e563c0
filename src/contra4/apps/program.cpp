#include "contra4/apps/program.h"

#include <algorithm>
#include <exception>
#include <filesystem>
#include <new>
#include <ostream>
#include <string_view>

#include <fmt/format.h>
#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>

#include "contra4/apps/arguments.h"
#include "contra4/apps/commands/ask.h"
#include "contra4/apps/commands/balance.h"
#include "contra4/apps/commands/categorize.h"
#include "contra4/apps/commands/compare.h"
#include "contra4/apps/commands/dataset.h"
#include "contra4/apps/commands/dataset_merge.h"
#include "contra4/apps/commands/dataset_split.h"
#include "contra4/apps/commands/evaluate.h"
#include "contra4/apps/commands/filter.h"
#include "contra4/apps/commands/finetune.h"
#include "contra4/apps/commands/generate.h"
#include "contra4/apps/commands/models.h"
#include "contra4/apps/commands/models_convert.h"
#include "contra4/apps/commands/pipeline.h"
#include "contra4/apps/commands/sample.h"
#include "contra4/apps/commands/score.h"
#include "contra4/apps/commands/verify.h"
#include "contra4/apps/help.h"
#include "contra4/base/error.h"
#include "contra4/base/log.h"
#include "contra4/base/suggest.h"
#include "contra4/base/version.h"

namespace contra4::apps {

namespace {

struct CommandEntry {
  std::string_view name;  // "dataset check": a noun and a verb, or one word
  std::string_view summary;
  AddCommand add;
};

// Every subcommand, in the order of the help page.
constexpr CommandEntry kCommands[] = {
    {"evaluate", "asks a model every question of a data set and scores the answers",
     add_evaluate_command},
    {"score", "scores files of predictions and folders of runs", add_score_command},
    {"compare", "says which differences between runs mean something", add_compare_command},
    {"ask", "asks a model one question about scenes", add_ask_command},
    {"finetune", "trains OneLLM on questions with answers", add_finetune_command},
    {"models", "lists what models can be asked, and what each needs", add_models_command},
    {"models convert", "writes a checkpoint as one safetensors file", add_models_convert_command},
    {"pipeline", "makes a data set from captions, all steps of it", add_pipeline_command},
    {"sample", "puts captioned media of different modalities together", add_sample_command},
    {"generate", "writes questions about tuples, and their answers", add_generate_command},
    {"verify", "asks models every question in every order of its scenes", add_verify_command},
    {"filter", "keeps the questions that models answer rightly in every order", add_filter_command},
    {"balance", "spreads the right scenes evenly over the places", add_balance_command},
    {"categorize", "says which category each question belongs to", add_categorize_command},
    {"dataset check", "finds every wrong row of data files", add_dataset_check_command},
    {"dataset describe", "counts what is in a data file, and what it shares with another",
     add_dataset_describe_command},
    {"dataset convert", "writes a data file in another format or schema",
     add_dataset_convert_command},
    {"dataset split", "divides a data file into parts that share no medium",
     add_dataset_split_command},
    {"dataset merge", "puts the shards of a file together", add_dataset_merge_command},
};

constexpr std::string_view kHint = "contra4 --help lists the commands";

std::string program_help() {
  std::string page =
      "Usage: contra4 COMMAND [flags]\n\n"
      "Contrastive cross-modal reasoning: questions over sounds, pictures, videos and 3D "
      "objects.\n\n"
      "Commands:\n";
  for (const CommandEntry& command : kCommands) {
    page += fmt::format("  {:<18} {}\n", command.name, command.summary);
  }
  page +=
      "\ncontra4 COMMAND --help shows the flags of a command; contra4 --version the version.\n"
      "Exit codes: 0 done; 1 failed; 2 wrong usage; 3 done, but some items failed.\n"
      "Environment: OPENAI_API_KEY, OPENAI_BASE_URL, GOOGLE_API_KEY or GEMINI_API_KEY; COCO_DIR,\n"
      "AUDIOCAPS_DIR, CLOTHO_DIR, MSRVTT_DIR, OBJAVERSE_DIR, OBJAVERSE_FEAT_DIR (media);\n"
      "CONTRA4_MINILM (folder of the embedding model), CONTRA4_CACHE, NO_COLOR.\n";
  return page;
}

bool is_help_flag(const std::string& argument) {
  return argument == "--help" || argument == "-h";
}

// How many of the arguments are the words of `name`; 0: it is another command.
std::size_t matching_words(std::string_view name, const std::vector<std::string>& arguments) {
  const auto blank = name.find(' ');
  if (blank == std::string_view::npos) return arguments[0] == name ? 1 : 0;
  const bool matches = arguments.size() > 1 && arguments[0] == name.substr(0, blank) &&
                       arguments[1] == name.substr(blank + 1);
  return matches ? 2 : 0;
}

// Names of commands, or the verbs of one noun.
std::vector<std::string> next_words(const std::string& noun) {
  std::vector<std::string> words;
  for (const CommandEntry& command : kCommands) {
    const auto blank = command.name.find(' ');
    const std::string first(command.name.substr(0, blank));
    std::string word = first;
    if (!noun.empty()) {
      if (first != noun || blank == std::string_view::npos) continue;
      word = command.name.substr(blank + 1);
    }
    if (std::find(words.begin(), words.end(), word) == words.end()) words.push_back(word);
  }
  return words;
}

std::string suggestion(const std::string& typed, const std::vector<std::string>& words) {
  const auto nearest = find_nearest(typed, words);
  return nearest ? fmt::format("; did you mean '{}'?", *nearest) : "";
}

[[noreturn]] void refuse_command(const std::vector<std::string>& arguments) {
  const auto verbs = next_words(arguments[0]);
  if (verbs.empty()) {
    throw UsageError(
        fmt::format("no command '{}'{}", arguments[0], suggestion(arguments[0], next_words(""))));
  }
  std::string list;
  for (const std::string& verb : verbs)
    list += fmt::format("{}'{}'", list.empty() ? "" : ", ", verb);
  if (arguments.size() < 2 || arguments[1].starts_with('-')) {
    throw UsageError(fmt::format("'{}' is followed by one of {}", arguments[0], list));
  }
  throw UsageError(fmt::format("no command '{} {}'{}", arguments[0], arguments[1],
                               suggestion(arguments[1], verbs)));
}

// The command with the most words: `models convert` is not `models` with an argument.
const CommandEntry& get_command(std::vector<std::string>& arguments) {
  const CommandEntry* best = nullptr;
  std::size_t best_words = 0;
  for (const CommandEntry& command : kCommands) {
    const auto words = matching_words(command.name, arguments);
    if (words <= best_words) continue;
    best = &command;
    best_words = words;
  }
  if (best == nullptr) refuse_command(arguments);
  arguments.erase(arguments.begin(), arguments.begin() + static_cast<std::ptrdiff_t>(best_words));
  return *best;
}

// What every command takes besides its own flags.
void add_common_flags(CLI::App& app, Context& context) {
  app.option_defaults()->group("Every command");
  add_config_flag(app);
  app.add_flag("--quiet,-q", context.quiet, "no progress and no closing words");
  app.add_flag("--verbose,-v", context.verbose, "tell more of what happens");
  app.set_help_flag("--help,-h", "this page");
}

int run_command(const CommandEntry& command, const std::vector<std::string>& arguments,
                Context& context) {
  CLI::App app;
  app.set_help_flag();
  app.option_defaults()->group("Flags");
  const RunCommand run = command.add(app);
  add_common_flags(app, context);
  try {
    parse_arguments(app, arguments, context.typed_flags);
  } catch (const CLI::CallForHelp&) {
    context.out << command_help(app, command.name) << std::flush;
    return kExitDone;
  }
  log::set_level(context.verbose ? log::Level::kDebug
                 : context.quiet ? log::Level::kWarning
                                 : log::Level::kInfo);
  return run(context);
}

int fail(Context& context, std::string_view command, std::string_view message, int code) {
  context.out.flush();
  context.err << "contra4" << (command.empty() ? "" : " ") << command << ": " << message
              << std::endl;
  return code;
}

int dispatch(std::vector<std::string> arguments, Context& context, std::string& command_name) {
  if (!arguments.empty() && arguments[0] == "help") {  // `contra4 help evaluate`
    arguments.erase(arguments.begin());
    arguments.emplace_back("--help");
  }
  if (arguments.empty()) {
    context.err << program_help() << std::flush;
    return kExitUsage;
  }
  if (is_help_flag(arguments[0])) {
    context.out << program_help() << std::flush;
    return kExitDone;
  }
  if (arguments[0] == "--version" || arguments[0] == "-V") {
    context.out << "contra4 " << version() << std::endl;
    return kExitDone;
  }
  if (arguments[0].starts_with('-')) {
    throw UsageError(fmt::format("the command comes before its flags; {}", kHint));
  }
  const CommandEntry& command = get_command(arguments);
  command_name = command.name;
  return run_command(command, arguments, context);
}

}  // namespace

int run_program(const std::vector<std::string>& arguments, Context& context) {
  context.command_line = arguments;
  std::string command;
  try {
    return dispatch(arguments, context, command);
  } catch (const UsageError& error) {
    const std::string hint = command.empty()
                                 ? std::string(kHint)
                                 : fmt::format("contra4 {} --help lists the flags", command);
    return fail(context, command, fmt::format("{}\n{}", error.what(), hint), kExitUsage);
  } catch (const Exception& error) {
    return fail(context, command, error.what(), kExitFailed);
  } catch (const std::bad_alloc&) {
    return fail(context, command, "out of memory", kExitFailed);
  } catch (const std::exception& error) {
    return fail(context, command, error.what(), kExitFailed);
  }
}

}  // namespace contra4::apps
