#include "contra4/apps/commands/verify.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <CLI/App.hpp>

#include "contra4/apps/arguments.h"
#include "contra4/apps/model_flags.h"
#include "contra4/apps/output.h"
#include "contra4/apps/progress.h"
#include "contra4/apps/step_flags.h"
#include "contra4/base/error.h"
#include "contra4/pipeline/verify.h"

namespace contra4::apps {

namespace {

namespace fs = std::filesystem;

struct Flags {
  StepFlags step;
  ModelFlags model;  // of every model; `model` and `base_urls` are filled for each
  std::vector<std::string> models;
  std::optional<std::string> until;
  std::optional<std::string> rule;
  bool all_orders = false;
  bool compat = false;
  bool accept_failures = false;
  std::optional<fs::path> replay;
};

// A short reply with a little chance in it, as published.
constexpr double kTemperature = 0.3;
constexpr double kTopP = 0.9;
constexpr int kMaxNewTokens = 30;

// What the published script calls its models.
struct KnownModel {
  std::string_view name;
  std::string_view spec;
};
constexpr std::array kKnownModels = {
    KnownModel{"llama", "meta-llama/Llama-3.1-8B-Instruct"},
    KnownModel{"mistral", "mistralai/Mistral-7B-Instruct-v0.2"},
    KnownModel{"phi", "microsoft/Phi-3-medium-128k-instruct"},
    KnownModel{"gemma", "google/gemma-2-9b-it"},
};

struct NamedSpec {
  std::string name;
  std::string spec;
};

bool is_name_byte(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '-' || c == '_' || c == '.';
}

// "llama=openai/X"; a SPEC alone is called by its last word.
NamedSpec parse_model(const std::string& text) {
  const std::size_t equals = text.find('=');
  // With a space before the sign it belongs to a command: exec/COMMAND --flag=value.
  if (equals != std::string::npos && text.find(' ') > equals && !text.starts_with("exec/")) {
    return {text.substr(0, equals), text.substr(equals + 1)};
  }
  for (const KnownModel& known : kKnownModels) {
    if (known.name == text) return {text, std::string(known.spec)};
  }
  const std::size_t last = text.find_last_not_of("/ ");
  if (last == std::string::npos) throw UsageError(fmt::format("--model '{}' names no model", text));
  const std::size_t before = text.find_last_of("/ ", last);
  const std::size_t first = before == std::string::npos ? 0 : before + 1;
  std::string name = text.substr(first, last + 1 - first);
  std::replace_if(
      name.begin(), name.end(), [](char c) { return !is_name_byte(c); }, '-');
  return {name, text};
}

// Of "llama=http://...", for that model; without a name, for all of them.
std::vector<std::string> base_urls_of(const Flags& flags, const std::string& name,
                                      const std::vector<NamedSpec>& specs) {
  std::vector<std::string> own;
  std::vector<std::string> common;
  for (const std::string& text : flags.model.base_urls) {
    const std::size_t equals = text.find('=');
    const std::string whose = text.substr(0, equals);
    if (equals == std::string::npos || whose.find_first_of(":/") != std::string::npos) {
      common.push_back(text);
      continue;
    }
    if (std::none_of(specs.begin(), specs.end(),
                     [&](const NamedSpec& spec) { return spec.name == whose; })) {
      throw UsageError(fmt::format("--base-url {}: no --model is called '{}'", text, whose));
    }
    if (whose == name) own.push_back(text.substr(equals + 1));
  }
  return own.empty() ? common : own;
}

bool is_embedded(const clients::ModelSpec& spec) {
  return spec.family == "embed" || spec.family == "lexical" || spec.family == "blind";
}

ModelFlags flags_of(const Flags& flags, const NamedSpec& named, const std::vector<NamedSpec>& specs,
                    const Context& context) {
  ModelFlags own = flags.model;
  own.model = named.spec;
  own.keeps_programs = true;  // each phase of asking is a run
  own.base_urls = base_urls_of(flags, named.name, specs);
  const bool has_built_in_prompt = own.prompt == clients::kDefaultPrompt;
  if (has_built_in_prompt && flags.compat && !context.typed_flags.contains("prompt")) {
    own.prompt = "published";
  }
  // A prompt of a file brings its own.
  if (has_built_in_prompt || own.prompt == "published") {
    if (!own.temperature) own.temperature = kTemperature;
    if (!own.top_p) own.top_p = kTopP;
    if (!own.max_new_tokens) own.max_new_tokens = kMaxNewTokens;
  }
  return own;
}

pipeline::VerifyOptions options_of(const Flags& flags) {
  pipeline::VerifyOptions options;
  options.files = flags.step.files().front();
  if ((flags.compat || flags.all_orders) && flags.until && *flags.until != "all") {
    throw UsageError("--compat and --all-orders ask everything; --until says otherwise");
  }
  if (flags.until) options.until = *pipeline::parse_ask_until(*flags.until);
  if (flags.compat || flags.all_orders) options.until = pipeline::AskUntil::kAllOrders;
  if (flags.rule) {
    options.reading = *pipeline::parse_reading_rule(*flags.rule);
  } else if (flags.compat) {
    options.reading = pipeline::ReadingRule::kPublished;
  }
  options.seed = flags.model.seed;
  options.accepts_failures = flags.accept_failures;
  return options;
}

// The questions of the run whose replies are decided again lie beside them.
void find_questions(pipeline::VerifyOptions& options, const Flags& flags) {
  std::error_code absent;
  const bool has_own = fs::is_directory(flags.step.output_dir / "step2_3", absent);
  const bool takes_theirs =
      flags.replay && !has_own && fs::is_directory(*flags.replay / "step2_3", absent);
  pipeline::find_questions(options, takes_theirs ? *flags.replay : flags.step.output_dir);
}

std::string dry_run_text(const pipeline::VerifyOptions& options,
                         const std::vector<NamedSpec>& specs) {
  std::string names;
  for (const NamedSpec& spec : specs) {
    names += fmt::format("{}{} ({})", names.empty() ? "" : ", ", spec.name, spec.spec);
  }
  return fmt::format("{}: at most {}{}\n{}\n", options.questions.string(),
                     counted(pipeline::count_verify_requests(options, specs.size()), "request"),
                     options.until == pipeline::AskUntil::kAllOrders
                         ? ""
                         : ", fewer where a reply settles a question early",
                     names);
}

int run_verify(const Flags& flags, Context& context) {
  std::vector<NamedSpec> specs;
  for (const std::string& text : flags.models) specs.push_back(parse_model(text));
  auto options = options_of(flags);
  find_questions(options, flags);
  if (flags.step.dry_run) {
    write_result(context, {}, dry_run_text(options, specs));
    return kExitDone;
  }

  const SystemClock clock;
  std::vector<OpenedModel> opened;
  std::vector<pipeline::VerifyModel> models;
  bool has_embedded = false;
  for (const NamedSpec& named : specs) {
    if (flags.replay) {
      models.push_back(
          {named.name, nullptr, pipeline::find_replies(*flags.replay, options.files, named.name)});
      continue;
    }
    opened.push_back(open_model(flags_of(flags, named, specs, context), context, clock));
    const OpenedModel& model = opened.back();
    if (model.answerer->input_need() == InputNeed::kMedia) {
      throw Exception(
          ErrorCode::kInvalidArgument,
          fmt::format("--model {}: wants media; verify shows captions", model.spec.text()));
    }
    has_embedded = has_embedded || is_embedded(model.spec);
    models.push_back({named.name, model.answerer.get()});
  }
  if (has_embedded) {
    options.notes.emplace_back(
        "answers were checked by embedded answerers, which answer the same in any order of the "
        "scenes; not for publication");
  }
  auto stage = pipeline::open_verify(options, models, when_changed(flags.step, context));
  if (stage.is_done()) return report_done(context, flags.step, stage);
  const auto outcome = [&] {
    ProgressLine line(context, clock);
    return pipeline::verify(
        stage, options, models,
        [&line](const pipeline::StepProgress& progress) { line.update(progress); }, context.stop);
  }();
  return report_step(context, flags.step, "verify", stage.output(), outcome);
}

}  // namespace

std::string verified_model_name(const std::string& text) {
  return parse_model(text).name;
}

RunCommand add_verify_command(CLI::App& app) {
  auto flags = std::make_shared<Flags>();
  app.description(
      "Puts every question of step2_3 to one or several models, its scenes in every order, and "
      "writes their answers to step4, a file per model. A question is asked no further once a "
      "reply disagrees with its answer. An interrupted run goes on when the same command is given "
      "again.");
  add_model_flags(app, flags->model, ModelUse::kManyQuestions);
  app.remove_option(app.get_option("--model"));
  app.option_defaults()->group("Flags");
  app.add_option("--model,--model-id", flags->models,
                 "a model and its name in files and members: llama=openai/X, see `contra4 models`; "
                 "repeat it for several. With --replay the name is enough")
      ->type_name("NAME=SPEC")
      ->allow_extra_args(false)
      ->required();
  app.add_option("--until", flags->until,
                 "ask until one reply disagrees (unanimous), until no majority of the models is "
                 "left (majority), or in all orders (all) [default: unanimous]")
      ->type_name("FATE")
      ->transform(one_of({"unanimous", "majority", "all"}));
  app.add_flag("--all-orders", flags->all_orders, "as --until all");
  app.add_option("--rule", flags->rule,
                 "how a reply is read: as an evaluation reads it (choice), or by the letter rule "
                 "of the published script [default: choice]")
      ->type_name("NAME")
      ->transform(one_of({"choice", "published"}));
  app.add_option("--replay", flags->replay,
                 "ask nothing: decide again from the replies of an earlier run, in its "
                 "--output-dir, its step4, or a journal")
      ->type_name("DIR");
  app.add_flag("--compat", flags->compat,
               "as published: all orders, the script's letter rule, the one-line prompt");
  app.add_flag("--accept-failures", flags->accept_failures,
               "decide without the requests that get no reply: their items agree with nothing "
               "[default: nothing is written until the same command has asked them again]");
  app.add_option("--batch-size", flags->model.concurrency, "as --concurrency")
      ->type_name("N")
      ->check(whole_number(1, 100'000));
  add_step_flags(app, flags->step, StepUse::kOneStrategy, Sharding::kYes);
  app.footer(
      "Without --temperature, --top-p and --max-new-tokens: 0.3, 0.9 and 30, unless --prompt is a "
      "file.\n"
      "--base-url NAME=URL is of one model, --base-url URL of all.\n\n"
      "Examples:\n"
      "  contra4 verify --model llama=meta-llama/Llama-3.1-8B-Instruct --base-url "
      "llama=http://gpu1:8000/v1 \\\n"
      "    --model phi=microsoft/Phi-3-medium-128k-instruct --base-url phi=http://gpu2:8000/v1\n"
      "  contra4 verify --model bm25=lexical/bm25 --model minilm=embed/minilm --strategy "
      "similarity\n"
      "  contra4 verify --model llama --model phi --replay data --rule published --output-dir "
      "data/other");
  return [flags](Context& context) { return run_verify(*flags, context); };
}

}  // namespace contra4::apps
