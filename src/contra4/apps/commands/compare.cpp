#include "contra4/apps/commands/compare.h"

#include <filesystem>
#include <memory>
#include <optional>
#include <ostream>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>
#include <CLI/App.hpp>

#include "contra4/apps/arguments.h"
#include "contra4/apps/output.h"
#include "contra4/apps/run_results.h"
#include "contra4/base/hash.h"
#include "contra4/eval/comparison.h"
#include "contra4/eval/run_folder.h"
#include "contra4/eval/run_set.h"
#include "contra4/report/report.h"

namespace contra4::apps {

namespace {

struct Flags {
  std::vector<std::filesystem::path> runs;
  std::optional<std::filesystem::path> dataset;
  std::optional<std::string> scoring;
  bool missing_as_wrong = false;
  bool against_first = false;
  double level = 0.05;
  TableFlags table;
};

// The set that a run was about: the file it named, or the default, if it still has that content.
std::filesystem::path find_dataset(const std::vector<std::filesystem::path>& runs) {
  for (const auto& folder : runs) {
    if (!std::filesystem::is_directory(folder)) continue;
    const auto config = eval::read_config(folder);
    std::vector<std::filesystem::path> candidates = {kDefaultDataset};
    const auto* file = config.json.find_path("settings", "dataset_file");
    if (file != nullptr && file->is_string())
      candidates.insert(candidates.begin(), *file->find_string());
    for (const auto& candidate : candidates) {
      if (std::filesystem::is_regular_file(candidate) &&
          sha256_hex_of_file(candidate) == config.dataset_sha256) {
        return candidate;
      }
    }
    throw Exception(
        ErrorCode::kNotFound,
        fmt::format("the data set of {} ('{}', SHA-256 {}...) is not where it was; name "
                    "it with --dataset",
                    folder.string(), config.dataset, config.dataset_sha256.substr(0, 12)));
  }
  throw UsageError("files of predictions do not tell their data set: --dataset is needed");
}

int run_compare(const Flags& flags, Context& context) {
  const auto dataset =
      data::load_dataset(flags.dataset ? *flags.dataset : find_dataset(flags.runs));
  const eval::ScoringContext scoring(dataset);
  const auto runs = eval::load_runs(flags.runs, dataset);
  const auto results = results_of(context, scoring, runs, flags.scoring, flags.missing_as_wrong);
  const auto comparison = eval::compare_runs(
      scoring, results, {.level = flags.level, .against_first = flags.against_first});
  const std::string_view format = flags.table.chosen_format();
  const bool use_color = context.colors_out() && !flags.table.output;
  std::string text;
  if (format == "json") {
    text = eval::comparison_to_json(comparison) + "\n";
  } else if (format == "markdown") {
    text = report::comparison_markdown(comparison);
  } else {
    const auto table = report::comparison_table(comparison);
    text = format == "latex" ? report::to_latex(table)
           : format == "csv" ? report::to_csv(report::comparison_data(comparison))
                             : report::to_terminal(table, use_color);
  }
  write_result(context, flags.table.output, text);
  return kExitDone;
}

}  // namespace

RunCommand add_compare_command(CLI::App& app) {
  auto flags = std::make_shared<Flags>();
  app.description(
      "Paired differences between runs over the same questions, with intervals that take shared "
      "media into account and p values corrected for the number of comparisons.");
  app.add_option("runs", flags->runs, "two or more folders of runs, or files of predictions")
      ->type_name("DIR|FILE...")
      ->required();
  app.add_option("--dataset,--gt-file", flags->dataset,
                 "questions [default: the file that the runs were about]")
      ->type_name("FILE");
  add_scoring_flag(app, flags->scoring);
  add_missing_flag(app, flags->missing_as_wrong);
  app.add_flag("--against-first", flags->against_first,
               "each with the first run instead of each with each");
  app.add_option("--level", flags->level, "chance of calling any difference real that is none")
      ->type_name("P")
      ->check(number(0, 1))
      ->capture_default_str();
  add_table_flags(app, flags->table);
  app.footer(
      "Examples:\n  contra4 compare runs/test-model-a runs/test-model-b\n"
      "  contra4 compare --dataset test.json a.json b.json --json");
  return [flags](Context& context) { return run_compare(*flags, context); };
}

}  // namespace contra4::apps
