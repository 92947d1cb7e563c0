#include "contra4/apps/commands/score.h"

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>
#include <CLI/App.hpp>

#include "contra4/apps/output.h"
#include "contra4/apps/run_results.h"
#include "contra4/eval/run_set.h"
#include "contra4/report/report.h"

namespace contra4::apps {

namespace {

struct Flags {
  std::optional<std::filesystem::path> dataset;
  std::vector<std::filesystem::path> predictions;
  std::optional<std::filesystem::path> fit;
  std::optional<std::string> scoring;
  bool missing_as_wrong = false;
  TableFlags table;
  bool no_published = false;
  bool details = false;
};

// What the published scorer prints, when that was asked for.
std::string published_text(const std::vector<eval::Results>& results) {
  std::string text;
  for (const auto& result : results) {
    if (result.published_text.empty()) return {};
    if (results.size() > 1) text += fmt::format("== {}\n", result.name);
    text += result.published_text;
  }
  return text;
}

std::string details_text(const eval::Results& results, bool use_color) {
  std::string text = "\n" + report::headline(results) + "\n";
  for (const auto& breakdown : results.breakdowns) {
    text +=
        "\n" + report::to_terminal(report::breakdown_table(results, breakdown.grouping), use_color);
  }
  text += "\n" + report::to_terminal(report::confusion_table(results), use_color);
  if (results.permutation_scores) {
    text += "\n" + report::to_terminal(report::permutation_table(results), use_color);
  }
  return text;
}

std::string render(const Flags& flags, const std::vector<eval::Results>& results, bool use_color) {
  const std::string_view format = flags.table.chosen_format();
  if (format == "json") {
    return (results.size() == 1 ? eval::results_to_json(results.front())
                                : eval::results_to_json(results)) +
           "\n";
  }
  const auto board = board_of(results, !flags.no_published);
  if (format == "csv") return report::to_csv(report::leaderboard_data(board));
  const auto table = report::leaderboard_table(board);
  if (format == "markdown") return report::to_markdown(table);
  if (format == "latex") return report::to_latex(table);
  std::string text = published_text(results);
  if (!text.empty()) return text;
  text = report::to_terminal(table, use_color);
  if (flags.details) {
    for (const auto& result : results) text += details_text(result, use_color);
  }
  return text;
}

int run_score(const Flags& flags, Context& context) {
  const auto dataset = data::load_dataset(dataset_file(flags.dataset));
  std::optional<data::Dataset> fit;
  if (flags.fit) fit = data::load_dataset(*flags.fit, {.answer = true, .captions = false});
  const eval::ScoringContext scoring(dataset, fit ? &*fit : nullptr);
  const auto runs = eval::load_runs(flags.predictions, dataset);
  const auto results = results_of(context, scoring, runs, flags.scoring, flags.missing_as_wrong);
  write_result(context, flags.table.output,
               render(flags, results, context.colors_out() && !flags.table.output));
  return kExitDone;
}

}  // namespace

RunCommand add_score_command(CLI::App& app) {
  auto flags = std::make_shared<Flags>();
  app.description(
      "Scores files of predictions and folders of runs: one leaderboard with the rules that need "
      "no "
      "model and, on the published test set, the published accuracies. Folders that are the shards "
      "of one run count as one.");
  add_dataset_flag(app, flags->dataset, "gt-file");
  app.add_option("--predictions,--pred-file", flags->predictions,
                 ".json or .jsonl with id and pred_ans, or the folder of a run")
      ->type_name("FILE|DIR...")
      ->required();
  app.add_option("--fit", flags->fit,
                 "data set that the priors are fitted on; without it they stand as not fitted")
      ->type_name("FILE");
  add_scoring_flag(app, flags->scoring);
  add_missing_flag(app, flags->missing_as_wrong);
  add_table_flags(app, flags->table);
  app.add_flag("--no-published", flags->no_published, "leave the published accuracies out");
  app.add_flag("--details", flags->details,
               "breakdowns, confusion and permutations of each run as well (tables only)");
  app.footer(
      "Examples:\n"
      "  contra4 score --dataset test.json --predictions predictions.json\n"
      "  contra4 score --dataset test.json --fit val.json --predictions runs/* --format latex\n"
      "  contra4 score --gt_file test.json --pred_file predictions.json --scoring published");
  return [flags](Context& context) { return run_score(*flags, context); };
}

}  // namespace contra4::apps
