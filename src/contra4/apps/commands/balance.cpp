#include "contra4/apps/commands/balance.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <memory>
#include <numeric>
#include <ostream>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <CLI/App.hpp>

#include "contra4/apps/arguments.h"
#include "contra4/apps/output.h"
#include "contra4/apps/step_flags.h"
#include "contra4/data/item.h"
#include "contra4/pipeline/balance.h"
#include "contra4/pipeline/filter.h"
#include "contra4/report/table.h"

namespace contra4::apps {

namespace {

struct Flags {
  StepFlags step;
  std::vector<std::string> by = {"position"};
  std::uint64_t seed = 42;
  bool compat = false;
  bool no_sync = false;
};

pipeline::BalanceOptions options_of(const Flags& flags, const Context& context) {
  const auto is_asked = [&](const char* what) {
    return std::find(flags.by.begin(), flags.by.end(), what) != flags.by.end();
  };
  if (flags.compat && is_asked("modality")) {
    throw UsageError("--compat balances positions only; leave --by modality out");
  }
  return {.compat = flags.compat,
          .by_position = is_asked("position"),
          .by_modality = is_asked("modality"),
          .seed = flags.seed,
          .durability = flags.no_sync ? io::Durability::kUnsynced : io::Durability::kSynced,
          .when_changed = when_changed(flags.step, context)};
}

std::string share(std::int64_t part, std::int64_t whole) {
  return whole == 0 ? "-"
                    : fmt::format("{:.1f}%",
                                  100.0 * static_cast<double>(part) / static_cast<double>(whole));
}

double mean_hit(const scoring::BlindRow& row) {
  double sum = 0;
  for (const auto& observation : row.observations) sum += observation.hit;
  return row.observations.empty() ? 0 : sum / static_cast<double>(row.observations.size());
}

// Where the right scenes are, what they are, and what can be had blindly.
report::Table table_of(const std::string& strategy, const pipeline::BalanceState& before,
                       const pipeline::BalanceState& after) {
  report::Table table;
  table.caption = fmt::format("{}: the right scenes before and after", strategy);
  table.columns = {{"", report::Align::kLeft},
                   {"before", report::Align::kRight},
                   {"share", report::Align::kRight},
                   {"after", report::Align::kRight},
                   {"share", report::Align::kRight}};
  const auto add = [&](std::string name, std::int64_t old_count, std::int64_t old_total,
                       std::int64_t new_count, std::int64_t new_total) {
    table.rows.push_back(
        {.cells = {std::move(name), grouped(old_count), share(old_count, old_total),
                   grouped(new_count), share(new_count, new_total)}});
  };
  add("rows", before.rows, before.rows, after.rows, before.rows);
  for (std::size_t n = kMinScenes; n <= kMaxScenes; ++n) {
    const auto old_total =
        std::accumulate(before.positions[n].begin(), before.positions[n].end(), std::int64_t{0});
    const auto new_total =
        std::accumulate(after.positions[n].begin(), after.positions[n].end(), std::int64_t{0});
    for (std::size_t place = 0; place < n; ++place) {
      add(fmt::format("mc_{}, {}", n, scene_name(static_cast<int>(place))),
          before.positions[n][place], old_total, after.positions[n][place], new_total);
      table.rows.back().rule_before = place == 0;
    }
  }
  for (std::size_t i = 0; i < kModalities.size(); ++i) {
    add(std::string(to_string(kModalities[i])), before.modalities[i], before.rows,
        after.modalities[i], after.rows);
    table.rows.back().rule_before = i == 0;
  }
  for (std::size_t i = 0; i < before.blind.size() && i < after.blind.size(); ++i) {
    if (!before.blind[i].is_available || !after.blind[i].is_available) continue;
    table.rows.push_back({.cells = {"blind: " + before.blind[i].name, "",
                                    fmt::format("{:.1f}%", 100 * mean_hit(before.blind[i])), "",
                                    fmt::format("{:.1f}%", 100 * mean_hit(after.blind[i]))},
                          .rule_before = i == 0});
  }
  table.notes = {"blind: right without looking at any scene; priors are fitted on these very rows"};
  return table;
}

int dry_run(const Flags& flags, Context& context) {
  std::string text;
  for (const pipeline::StepFiles& files : flags.step.files()) {
    text += fmt::format(
        "reads  {}\nwrites {}\n",
        pipeline::find_step_file(pipeline::filter_stage_output(files), "contra4 filter").string(),
        files.balanced().string());
  }
  write_result(context, {}, text);
  return kExitDone;
}

int run_balance(const Flags& flags, Context& context) {
  const auto options = options_of(flags, context);
  if (flags.step.dry_run) return dry_run(flags, context);
  int code = kExitDone;
  for (const pipeline::StepFiles& files : flags.step.files()) {
    auto stage = pipeline::open_balance(files, options);
    if (stage.is_done()) {
      code = std::max(code, report_done(context, flags.step, stage));
      continue;
    }
    const auto outcome = pipeline::run_balance(stage, files, options, context.stop);
    if (!outcome.before_and_after.empty() && outcome.step.is_complete() && !context.quiet) {
      context.err << report::to_terminal(table_of(files.strategy, outcome.before_and_after.front(),
                                                  outcome.before_and_after.back()),
                                         context.colors_err())
                  << '\n';
    }
    code =
        std::max(code, report_step(context, flags.step, "balance", stage.output(), outcome.step));
  }
  return code;
}

}  // namespace

RunCommand add_balance_command(CLI::App& app) {
  auto flags = std::make_shared<Flags>();
  app.description(
      "Moves the right scenes of the filtered questions so that every place is right equally often "
      "for each number of scenes, and shows what a model could still get without looking. Replies "
      "and their orders move along.");
  app.add_option("--by", flags->by,
                 "what to even out: position, and modality, for which rows are left out until the "
                 "best blind order of modalities is within two points of chance; commas")
      ->type_name("WHAT")
      ->delimiter(',')
      ->transform(one_of({"position", "modality"}))
      ->capture_default_str();
  app.add_option("--seed", flags->seed, "which rows get which place, and which are left out")
      ->type_name("N")
      ->capture_default_str();
  app.add_flag("--compat", flags->compat,
               "as the published script: places by the sequence of rows; explanations are lost, "
               "replies stay where they were");
  app.add_flag("--no-sync", flags->no_sync,
               "do not wait until the file is on the disk; quicker, not safe from power failures");
  add_step_flags(app, flags->step, StepUse::kManyStrategies, Sharding::kNo);
  app.footer(
      "Examples:\n"
      "  contra4 balance --split test\n"
      "  contra4 balance --strategy random --by position,modality\n"
      "  contra4 balance --compat");
  return [flags](Context& context) { return run_balance(*flags, context); };
}

}  // namespace contra4::apps
