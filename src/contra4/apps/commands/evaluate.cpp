#include "contra4/apps/commands/evaluate.h"

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <memory>
#include <optional>
#include <ostream>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <CLI/App.hpp>

#include "contra4/apps/arguments.h"
#include "contra4/apps/command_text.h"
#include "contra4/apps/dry_run.h"
#include "contra4/apps/model_flags.h"
#include "contra4/apps/output.h"
#include "contra4/apps/progress.h"
#include "contra4/apps/run_results.h"
#include "contra4/apps/shown_input.h"
#include "contra4/apps/workers.h"
#include "contra4/base/hash.h"
#include "contra4/eval/evaluator.h"
#include "contra4/eval/gathered_journal.h"
#include "contra4/eval/predictions.h"
#include "contra4/eval/run_folder.h"
#include "contra4/eval/run_set.h"
#include "contra4/io/file.h"
#include "contra4/io/json_writer.h"
#include "contra4/report/report.h"

namespace contra4::apps {

namespace {

struct Flags {
  std::optional<std::filesystem::path> dataset;
  ModelFlags model;
  InputFlags input;
  std::optional<std::filesystem::path> output;
  std::string permutations = "none";
  std::optional<std::string> scoring;
  std::optional<std::int64_t> limit;
  std::string shard = "1/1";
  std::optional<std::filesystem::path> noise_none;
  std::optional<std::filesystem::path> noise_random;
  std::optional<std::filesystem::path> answer_path;
  int worker_timeout_s = 1800;
  bool no_published = false;
  bool overwrite = false;
  bool dry_run = false;
  bool json = false;
};

constexpr std::size_t kMaxNamedFailures = 20;

eval::PlanOptions plan_options(const Flags& flags) {
  const auto shard = parse_shard(flags.shard);
  if (!shard) throw UsageError("--shard: " + shard.error().message);
  return {.permutations = *eval::parse_permutations(flags.permutations),
          .shard = *shard,
          .limit = flags.limit};
}

scoring::ScoringRule rule_of(const Flags& flags) {
  return flags.scoring ? *scoring::parse_scoring_rule(*flags.scoring)
                       : scoring::ScoringRule::kChoice;
}

eval::RunConfig config_of(const Flags& flags, const std::filesystem::path& dataset_path,
                          const data::Dataset& dataset, const OpenedModel& model,
                          eval::InputKind kind, const eval::PlanOptions& plan,
                          const Context& context) {
  eval::RunConfig config;
  config.dataset = dataset.name;
  config.dataset_sha256 = dataset.sha256;
  config.num_items = static_cast<std::int64_t>(dataset.items.size());
  config.model = model.spec.text();
  config.model_json = model.answerer->description_json();
  config.input = kind;
  if (flags.input.captions) config.captions_sha256 = sha256_hex_of_file(*flags.input.captions);
  if (model.fit) config.fit_sha256 = model.fit->sha256;
  config.plan = plan;
  config.seed = flags.model.seed;
  // Where `compare` finds the set again; no setting that decides.
  config.settings = {{"dataset_file", io::json_quote(dataset_path.string())}};
  if (kind == eval::InputKind::kMedia &&
      (is_prompted(model.spec) || flags.model.media.exec_pictures)) {
    config.settings.emplace_back("media", media_description(flags.model.media, context));
  }
  config.scoring = rule_of(flags);
  return config;
}

void tell_changes(Context& context, const eval::RunFolder& folder) {
  if (context.quiet) return;
  for (const auto& change : folder.changes()) {
    context.err << fmt::format("note: {} was {} and is now {}", change.name, change.before,
                               change.after)
                << std::endl;
  }
}

eval::EvaluateOutcome ask_all(Context& context, const eval::RequestPlan& plan, Answerer& answerer,
                              const eval::SceneSource& scenes, const eval::RunFolder& folder,
                              const eval::EvaluateOptions& options, const Clock& clock) {
  ProgressLine line(context, clock);
  return eval::evaluate(
      plan, answerer, scenes, folder.journal_path(), options,
      [&line](const eval::EvaluateProgress& progress) { line.update(progress); }, context.stop);
}

// Runs that show what noise gets right are scored with the run, so that it gets its MSNR.
std::vector<eval::Results> score_run(Context& context, const Flags& flags,
                                     const eval::ScoringContext& scoring,
                                     const eval::RunFolder& folder) {
  std::vector<std::filesystem::path> paths = {folder.path()};
  for (const auto& noise : {flags.noise_none, flags.noise_random}) {
    if (noise) paths.push_back(*noise);
  }
  const auto runs = eval::load_runs(paths, scoring.dataset());
  const std::string rule(to_string(rule_of(flags)));
  auto results = results_of(context, scoring, runs, rule, false);
  if (paths.size() > 1 && results.front().msnr.empty()) {
    throw UsageError(
        "--noise-none and --noise-random name finished runs of the same model with --input none "
        "and "
        "--input random-captions; both are needed");
  }
  return results;
}

void write_run(Context& context, const Flags& flags, const eval::Results& results,
               const eval::RunFolder& folder) {
  io::write_file_atomically(folder.results_path(), eval::results_to_json(results) + "\n");
  io::write_file_atomically(
      folder.report_path(),
      report::report_markdown(results, {.config_json = io::read_file(folder.config_path()),
                                        .command = command_text(context.command_line)}));
  if (flags.answer_path) {
    io::write_file_atomically(*flags.answer_path, io::read_file(folder.predictions_path()));
  }
}

void show_results(Context& context, const Flags& flags, const eval::Results& results) {
  if (flags.json) {
    write_result(context, {}, eval::results_to_json(results) + "\n");
    return;
  }
  std::string text = results.published_text;
  const auto board = board_of({&results, 1}, !flags.no_published);
  text += report::to_terminal(report::leaderboard_table(board), context.colors_out());
  if (results.permutation_scores) {
    text += "\n" + report::to_terminal(report::permutation_table(results), context.colors_out());
  }
  write_result(context, {}, text);
}

// Failed requests are always told, the rest is for people who watch.
void tell_misses(Context& context, const eval::RunSummary& summary) {
  std::size_t told = 0;
  for (const auto& missed : summary.missed) {
    if (missed.state == RequestState::kNotShown) continue;
    if (++told > kMaxNamedFailures) break;
    context.err << fmt::format("{}: {} ({}): {}", to_string(missed.state), missed.item_id,
                               missed.order, missed.error.message)
                << std::endl;
  }
  const auto all = summary.failed + summary.unsupported;
  if (all > static_cast<std::int64_t>(kMaxNamedFailures)) {
    context.err << fmt::format("... and {} more, see report.md",
                               grouped(all - static_cast<std::int64_t>(kMaxNamedFailures)))
                << std::endl;
  }
}

void tell_end(Context& context, const eval::EvaluateOutcome& outcome,
              const eval::RunFolder& folder) {
  tell_misses(context, outcome.summary);
  if (context.quiet) return;
  const auto& summary = outcome.summary;
  std::string line = fmt::format("{} of {} answered", grouped(summary.answered),
                                 counted(summary.requests, "request"));
  if (outcome.progress.resumed > 0) {
    line += fmt::format(" ({} by an earlier run)", grouped(outcome.progress.resumed));
  }
  const std::pair<std::int64_t, const char*> rest[] = {{summary.blocked, "blocked"},
                                                       {summary.failed, "failed"},
                                                       {summary.unsupported, "unsupported"},
                                                       {summary.not_shown, "without input"}};
  for (const auto& [count, word] : rest) {
    if (count > 0) line += fmt::format(", {} {}", grouped(count), word);
  }
  if (summary.failed > 0) line += " (the same command asks those again)";
  context.err << line << "\nreport: " << folder.report_path().string() << std::endl;
}

// What every part of an evaluation looks at.
struct Parts {
  const Flags& flags;
  Context& context;
  const Clock& clock;
  const data::Dataset& dataset;
  const OpenedModel& model;
  eval::InputKind kind;
};

void require_complete(const eval::EvaluateOutcome& outcome, const eval::RunFolder& folder) {
  if (!outcome.is_cancelled && outcome.is_complete()) return;
  throw Exception(
      ErrorCode::kCancelled,
      fmt::format("{} with {} of {} done; they are kept in {}, and the same command goes on",
                  outcome.is_cancelled ? "interrupted" : "the model stopped answering",
                  grouped(outcome.progress.done), counted(outcome.progress.total, "request"),
                  folder.path().string()));
}

// Asks what the folder's journal has no answer to, and writes the predictions.
eval::EvaluateOutcome answer_all(const Parts& parts, const eval::RequestPlan& plan,
                                 const eval::SceneSource& scenes, const eval::RunFolder& folder) {
  tell_changes(parts.context, folder);
  auto outcome =
      ask_all(parts.context, plan, *parts.model.answerer, scenes, folder,
              {.seed = parts.flags.model.seed, .scoring = rule_of(parts.flags)}, parts.clock);
  require_complete(outcome, folder);
  eval::write_predictions(plan, scenes, folder.journal_path(), folder.predictions_path());
  return outcome;
}

// A worker's share of the run, in a folder of its own below the run's.
eval::EvaluateOutcome answer_share(const Parts& parts, const Worker& worker,
                                   const eval::RunConfig& config,
                                   const std::filesystem::path& run) {
  eval::RunConfig share = config;
  share.plan = share_of(config.plan, worker);
  const eval::RequestPlan plan(parts.dataset.items, share.plan);
  const auto scenes = make_scene_source(parts.context, parts.flags.input, parts.kind, parts.dataset,
                                        plan, parts.flags.model.seed);
  const auto folder = eval::RunFolder::open(worker_folder(run, worker.rank, worker.count), share,
                                            parts.flags.overwrite);
  if (!parts.flags.overwrite) {
    eval::gather_answers(plan, journals_of_run(run, folder.journal_path()), folder.journal_path());
  }
  return answer_all(parts, plan, *scenes, folder);
}

// Waits for the other workers and takes over what they answered.
void gather_shares(const Parts& parts, const Worker& worker, const eval::RequestPlan& plan,
                   const eval::RunFolder& folder) {
  Context& context = parts.context;
  int told = -1;
  const auto tell = [&](int num_done) {
    if (context.quiet || num_done == std::exchange(told, num_done)) return;
    context.err << fmt::format("{} of {} workers are done", num_done, worker.count) << std::endl;
  };
  const auto silent =
      wait_for_workers({.run = folder.path(),
                        .worker = worker,
                        .patience = std::chrono::seconds(parts.flags.worker_timeout_s),
                        .tell = tell},
                       parts.clock, context.stop);
  if (context.stop.stop_requested()) {
    throw Exception(ErrorCode::kCancelled,
                    "interrupted while waiting for the other workers; the same command goes on");
  }
  for (const int rank : silent) {
    context.err << fmt::format(
                       "worker {} of {} has answered nothing for {} s and is given up; what it "
                       "left is asked here",
                       rank + 1, worker.count, parts.flags.worker_timeout_s)
                << std::endl;
  }
  eval::gather_answers(plan, journals_of_run(folder.path(), folder.journal_path()),
                       folder.journal_path());
}

int exit_code(const eval::EvaluateOutcome& outcome) {
  return outcome.summary.failed + outcome.summary.unsupported > 0 ? kExitSomeFailed : kExitDone;
}

// One of several processes, unless its share was given by hand.
std::optional<Worker> worker_of(const Flags& flags, const Context& context) {
  if (!parse_shard(flags.shard).value().is_whole()) return std::nullopt;
  return find_worker(context.environment);
}

int run_evaluate(const Flags& flags, Context& context) {
  const SystemClock clock;
  const auto options = plan_options(flags);
  const auto dataset_path = dataset_file(flags.dataset);
  const auto worker = worker_of(flags, context);
  const auto model = open_model(flags.model, context, clock);
  const auto kind = input_kind_of(flags.input, model.answerer->input_need());
  const bool needs_captions =
      kind == eval::InputKind::kOracleCaptions || kind == eval::InputKind::kRandomCaptions;
  const auto dataset =
      data::load_dataset(dataset_path, {.answer = false, .captions = needs_captions});
  const eval::ScoringContext scoring(dataset, model.fit.get());
  const eval::RequestPlan plan(dataset.items, options);
  const auto scenes =
      make_scene_source(context, flags.input, kind, dataset, plan, flags.model.seed);
  if (flags.dry_run) {
    write_result(context, {}, dry_run_text(plan, *scenes, flags.model, model));
    return kExitDone;
  }

  const Parts parts{flags, context, clock, dataset, model, kind};
  const auto config = config_of(flags, dataset_path, dataset, model, kind, options, context);
  const auto run = flags.output ? *flags.output : eval::default_run_folder(config);
  if (worker && worker->rank > 0) {
    const auto outcome = answer_share(parts, *worker, config, run);
    tell_misses(context, outcome.summary);
    return exit_code(outcome);
  }
  const auto folder = eval::RunFolder::open(run, config, flags.overwrite);
  if (worker) {
    answer_share(parts, *worker, config, run);
    gather_shares(parts, *worker, plan, folder);
  }
  const auto outcome = answer_all(parts, plan, *scenes, folder);
  const auto results = score_run(context, flags, scoring, folder);
  write_run(context, flags, results.front(), folder);
  show_results(context, flags, results.front());
  tell_end(context, outcome, folder);
  return exit_code(outcome);
}

void add_output_flags(CLI::App& app, Flags& flags) {
  app.option_defaults()->group("Output");
  app.add_option("--output", flags.output,
                 "folder of the run; a run goes on in its folder "
                 "[default: runs/DATASET-MODEL-HASH]")
      ->type_name("DIR");
  app.add_flag("--overwrite", flags.overwrite, "start anew in that folder");
  app.add_flag("--dry-run", flags.dry_run,
               "say what would be asked: requests, an example, tokens, with --prices the cost");
  app.add_flag("--json", flags.json, "results as JSON on standard output instead of a table");
  app.add_flag("--no-published", flags.no_published, "leave the published accuracies out");
  app.add_option("--answer-path", flags.answer_path, "write the predictions there as well")
      ->type_name("FILE");
}

}  // namespace

RunCommand add_evaluate_command(CLI::App& app) {
  auto flags = std::make_shared<Flags>();
  app.description(
      "Asks a model every question of a data set, scores the answers and writes a report. An "
      "interrupted run goes on when the same command is given again; answers are never asked for "
      "twice.");
  add_dataset_flag(app, flags->dataset, "data-path");
  app.add_option("--permutations", flags->permutations,
                 "show the scenes in more orders than the file's: every rotation (circular) or all")
      ->type_name("KIND")
      ->transform(one_of({"none", "circular", "all"}))
      ->capture_default_str();
  add_scoring_flag(app, flags->scoring);
  app.add_option("--limit", flags->limit, "the first so many questions (of the shard)")
      ->type_name("N")
      ->check(whole_number(1));
  app.add_option("--shard", flags->shard, "the I-th of N parts; `score` puts them together again")
      ->type_name("I/N")
      ->capture_default_str();
  app.add_option("--worker-timeout-s", flags->worker_timeout_s,
                 "of several processes (torchrun, srun, mpirun) the first takes over from one that "
                 "has answered nothing for so long")
      ->type_name("S")
      ->check(whole_number(1, 1'000'000))
      ->capture_default_str();
  app.add_option("--noise-none", flags->noise_none,
                 "a run of the model with --input none: with --noise-random gives the MSNR")
      ->type_name("DIR");
  app.add_option("--noise-random", flags->noise_random,
                 "a run of the model with --input random-captions")
      ->type_name("DIR");
  add_model_flags(app, flags->model, ModelUse::kManyQuestions);
  add_native_flags(app, flags->model.native);
  add_input_flags(app, flags->input);
  add_output_flags(app, *flags);
  app.footer(
      "Examples:\n"
      "  contra4 evaluate --dataset test.json --fit val.json --model embed/minilm\n"
      "  contra4 evaluate --dataset test.json --model openai/gpt-4o-mini --input oracle-captions "
      "\\\n"
      "    --limit 100 --dry-run\n"
      "  contra4 evaluate --dataset test.json --model meta-llama/Llama-3.1-8B-Instruct \\\n"
      "    --base-url http://localhost:8000/v1 --input oracle-captions --prompt published\n"
      "  contra4 evaluate --dataset test.json --model 'exec/python3 my_model.py' --workers 4\n"
      "  contra4 evaluate --config evaluation.yaml --shard 2/8");
  return [flags](Context& context) { return run_evaluate(*flags, context); };
}

}  // namespace contra4::apps
