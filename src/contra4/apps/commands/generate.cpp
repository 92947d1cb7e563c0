#include "contra4/apps/commands/generate.h"

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include <fmt/format.h>
#include <CLI/App.hpp>

#include "contra4/apps/arguments.h"
#include "contra4/apps/model_flags.h"
#include "contra4/apps/output.h"
#include "contra4/apps/progress.h"
#include "contra4/apps/step_flags.h"
#include "contra4/pipeline/generate.h"
#include "contra4/pipeline/rule_writer.h"

namespace contra4::apps {

namespace {

struct Flags {
  StepFlags step;
  ModelFlags model;
  std::optional<std::string> answers_by;
  std::optional<std::filesystem::path> prompts;
  std::optional<double> answer_temperature;
  pipeline::QuestionBounds bounds;
  int max_attempts = 3;
};

// The models of both phases; each null where rules write.
struct Models {
  std::optional<OpenedGenerator> questions;
  std::optional<OpenedGenerator> own_answers;  // empty: the one of the questions

  TextGenerator* for_questions() const { return questions ? questions->generator.get() : nullptr; }
  TextGenerator* for_answers() const {
    return own_answers ? own_answers->generator.get() : for_questions();
  }
};

Models open_models(const Flags& flags, const Context& context, const Clock& clock) {
  Models models;
  const bool by_rules = flags.model.model == pipeline::kRulesModel;
  if (!by_rules) models.questions = open_generator(flags.model, context, clock);
  if (!flags.answers_by || *flags.answers_by == flags.model.model) return models;
  if (*flags.answers_by == pipeline::kRulesModel) {
    throw UsageError("--answers-by rules: rules answer only the questions that rules wrote");
  }
  ModelFlags answers = flags.model;
  answers.model = *flags.answers_by;
  models.own_answers = open_generator(answers, context, clock);
  return models;
}

void override_sampling(Sampling& sampling, const ModelFlags& flags,
                       const std::optional<double>& temperature) {
  if (temperature) sampling.temperature = *temperature;
  if (flags.top_p) sampling.top_p = *flags.top_p;
  if (flags.max_new_tokens) sampling.max_tokens = *flags.max_new_tokens;
}

pipeline::GenerateOptions options_of(const Flags& flags, const Models& models,
                                     const Context& context) {
  auto prompts = pipeline::load_generate_prompts(flags.prompts);
  override_sampling(prompts.question.sampling, flags.model, flags.model.temperature);
  override_sampling(prompts.answer.sampling, flags.model, flags.answer_temperature);
  const auto form = flags.model.api == "completions" ? pipeline::PromptForm::kCompletion
                                                     : pipeline::PromptForm::kChat;
  pipeline::GenerateOptions options;
  options.files = flags.step.files().front();
  options.questions = {models.for_questions(), std::move(prompts.question), form};
  options.answers = {models.for_answers(), std::move(prompts.answer), form};
  options.bounds = flags.bounds;
  options.max_attempts = flags.max_attempts;
  options.seed = flags.model.seed;
  options.when_changed = when_changed(flags.step, context);
  return options;
}

std::string dry_run_text(const Flags& flags, const pipeline::GenerateOptions& options) {
  const auto preview = pipeline::preview_generate(options);
  if (preview.num_requests == 0) {
    return fmt::format("rules would write questions about {}; nobody is asked\n",
                       counted(preview.num_items, "tuple"));
  }
  std::string text = fmt::format(
      "{} would be asked {} about {}, and up to {} times as often where a reply is malformed\n",
      flags.answers_by ? flags.model.model + " and " + *flags.answers_by : flags.model.model,
      counted(preview.num_requests, "request"), counted(preview.num_items, "tuple"),
      options.max_attempts);
  if (preview.question.messages.empty()) return text;
  text += fmt::format("the first, {}:\n", preview.question.name);
  for (const Message& message : preview.question.messages) {
    text += fmt::format("\n[{}]\n", to_string(message.role));
    for (const ContentPart& part : message.parts) text += part.text;
    text += '\n';
  }
  if (!preview.question.reply_prefix.empty()) {
    text += fmt::format("\nthe reply is to begin with: {}\n", preview.question.reply_prefix);
  }
  return text;
}

int run_generate(const Flags& flags, Context& context) {
  const SystemClock clock;
  const Models models = open_models(flags, context, clock);
  const auto options = options_of(flags, models, context);
  if (flags.step.dry_run) {
    write_result(context, {}, dry_run_text(flags, options));
    return kExitDone;
  }
  pipeline::StepOutcome outcome;
  {
    ProgressLine line(context, clock);
    outcome = pipeline::generate(
        options, [&line](const pipeline::StepProgress& progress) { line.update(progress); },
        context.stop);
  }
  return report_step(context, flags.step, "generate", options.files.answered(), outcome);
}

}  // namespace

RunCommand add_generate_command(CLI::App& app) {
  auto flags = std::make_shared<Flags>();
  app.description(
      "Writes a question about each tuple, then its answer, by a language model or by rules "
      "(--model-id rules: no server, for trying things out, not for publication). Replies that are "
      "no question are asked for again, then the tuple is dropped and counted. An interrupted run "
      "goes on when the same command is given again; no reply is asked for twice.");
  add_step_flags(app, flags->step, StepUse::kOneStrategy, Sharding::kYes);
  app.option_defaults()->group("Questions");
  app.add_option("--prompts", flags->prompts,
                 "folder with question.yaml, answer.yaml or both, see docs/prompts.md; what it "
                 "lacks is the program's own")
      ->type_name("DIR");
  app.add_option("--answers-by", flags->answers_by,
                 "another model for the answers [default: the one of the questions]")
      ->type_name("SPEC");
  app.add_option("--answer-temperature", flags->answer_temperature,
                 "of the answers; --temperature is of the questions [default: the prompt's]")
      ->type_name("T")
      ->check(number(0, 10));
  app.add_option("--max-attempts", flags->max_attempts,
                 "replies asked for one text, each with a seed of its own, before its tuple is "
                 "dropped")
      ->type_name("N")
      ->check(whole_number(1, 1000))
      ->capture_default_str();
  app.add_option("--max-words", flags->bounds.max_words, "of a question")
      ->type_name("N")
      ->check(whole_number(3))
      ->capture_default_str();
  app.add_option("--max-characters", flags->bounds.max_characters, "of a question")
      ->type_name("N")
      ->check(whole_number(12))
      ->capture_default_str();
  add_model_flags(app, flags->model, ModelUse::kWriting);
  app.footer(
      "Examples:\n"
      "  contra4 generate --strategy random --split test --model-id rules\n"
      "  contra4 generate --strategy similarity --split test --bs 64 --api completions \\\n"
      "    --model-id meta-llama/Meta-Llama-3-8B --base-url http://localhost:8000/v1\n"
      "  contra4 generate --model-id openai/gpt-4o-mini --prompts my_prompts --dry-run");
  return [flags](Context& context) { return run_generate(*flags, context); };
}

}  // namespace contra4::apps
