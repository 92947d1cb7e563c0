#include "contra4/apps/run_results.h"

#include <algorithm>
#include <ostream>

#include <fmt/format.h>

#include "contra4/apps/arguments.h"

namespace contra4::apps {

void add_dataset_flag(CLI::App& app, std::optional<std::filesystem::path>& dataset,
                      const std::string& published_name) {
  app.add_option("--dataset,--" + published_name, dataset,
                 fmt::format("questions: .json, .jsonl (both also .gz) or .parquet [default: {}]",
                             kDefaultDataset))
      ->type_name("FILE");
}

std::filesystem::path dataset_file(const std::optional<std::filesystem::path>& flag) {
  if (flag) return *flag;
  if (!std::filesystem::exists(kDefaultDataset)) {
    throw UsageError(
        fmt::format("--dataset is needed ({}, the default, is not here)", kDefaultDataset));
  }
  return kDefaultDataset;
}

void add_scoring_flag(CLI::App& app, std::optional<std::string>& rule) {
  app.add_option("--scoring", rule,
                 "choice: exactly one scene is named; contains and published: as the published "
                 "scorer; words: as the older one, generous [default: choice]")
      ->type_name("RULE")
      ->transform(one_of(scoring::scoring_rule_names()));
}

void add_missing_flag(CLI::App& app, bool& missing_as_wrong) {
  app.add_flag("--missing-as-wrong", missing_as_wrong,
               "questions without a prediction count as wrong instead of being left out");
}

void add_table_flags(CLI::App& app, TableFlags& flags) {
  app.option_defaults()->group("Output");
  app.add_option("--format", flags.format, "table, json, markdown, latex or csv")
      ->type_name("NAME")
      ->transform(one_of({"table", "json", "markdown", "latex", "csv"}))
      ->capture_default_str();
  app.add_flag("--json", flags.json, "as --format json");
  app.add_option("--output", flags.output, "write there instead of standard output")
      ->type_name("FILE");
}

std::vector<eval::Results> results_of(Context& context, const eval::ScoringContext& scoring,
                                      std::span<const eval::Run> runs,
                                      const std::optional<std::string>& rule,
                                      bool missing_as_wrong) {
  std::vector<eval::Results> results;
  for (const eval::Run& run : runs) {
    eval::ResultsOptions options;
    if (rule) {
      options.rule = *scoring::parse_scoring_rule(*rule);
    } else if (run.config) {
      options.rule = run.config->scoring;
    }
    options.missing_as_wrong = missing_as_wrong;
    results.push_back(eval::compute_results(scoring, run, options));
    for (const std::string& warning : results.back().warnings) {
      context.err << fmt::format("warning: {}: {}", run.name, warning) << std::endl;
    }
  }
  eval::add_msnr(results);
  return results;
}

report::Leaderboard board_of(std::span<const eval::Results> results, bool with_published) {
  report::Leaderboard board = report::make_leaderboard(results);
  if (!with_published) {
    std::erase_if(board.entries, [](const report::LeaderboardEntry& entry) {
      return entry.kind == report::EntryKind::kPublished;
    });
  }
  return board;
}

}  // namespace contra4::apps
