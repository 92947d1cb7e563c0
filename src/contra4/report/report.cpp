#include "contra4/report/report.h"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "contra4/base/error.h"
#include "contra4/eval/results_json.h"
#include "contra4/report/figures.h"
#include "contra4/report/leaderboard.h"

namespace contra4::report {

namespace {

constexpr std::size_t kMaxListedMisses = 20;
constexpr const char* kNothing = "\u2013";

std::string_view title_of(scoring::Grouping grouping) {
  switch (grouping) {
    case scoring::Grouping::kModalitySet:
      return "modalities";
    case scoring::Grouping::kCorrectModality:
      return "correct modality";
    case scoring::Grouping::kCategory:
      return "category";
    case scoring::Grouping::kAnswerPosition:
      break;
  }
  return "correct position";
}

const eval::BlindResult* best_blind(const eval::Results& results) {
  if (!results.gain) return nullptr;
  for (const eval::BlindResult& rule : results.blind) {
    if (rule.name == results.gain->over) return &rule;
  }
  return nullptr;
}

const scoring::Accuracy* find(std::span<const scoring::NamedAccuracy> cells,
                              std::string_view name) {
  for (const auto& cell : cells) {
    if (cell.name == name) return &cell.accuracy;
  }
  return nullptr;
}

void append_accuracy(Row& row, const scoring::Accuracy& accuracy) {
  const bool is_empty = accuracy.total == 0;
  row.cells.push_back(count_text(accuracy.correct));
  row.cells.push_back(with_thousands(accuracy.total));
  row.cells.push_back(accuracy_text(accuracy));
  row.cells.push_back(interval(accuracy));
  row.cells.push_back(is_empty ? kNothing : points(accuracy.stderr_plain));
  row.cells.push_back(is_empty ? kNothing : points(accuracy.stderr_shared_media));
}

const std::vector<Column>& accuracy_columns() {
  static const std::vector<Column> columns = {
      {"right", Align::kRight},    {"of", Align::kRight},
      {"accuracy", Align::kPoint}, {"95% interval", Align::kRight},
      {"s.e.", Align::kPoint},     {"s.e. shared media", Align::kPoint}};
  return columns;
}

Table cell_table(const eval::Results& results) {
  Table table;
  table.columns.push_back({"cell", Align::kLeft});
  table.columns.insert(table.columns.end(), accuracy_columns().begin(), accuracy_columns().end());
  const eval::BlindResult* const blind = best_blind(results);
  if (blind != nullptr) table.columns.push_back({blind->name, Align::kPoint});
  if (!results.msnr.empty()) table.columns.push_back({"MSNR", Align::kPoint});
  for (std::size_t i = 0; i < results.cells.size(); ++i) {
    Row row;
    row.cells.push_back(results.cells[i].name);
    append_accuracy(row, results.cells[i].accuracy);
    if (blind != nullptr) {
      const scoring::Accuracy* const accuracy = find(blind->cells, results.cells[i].name);
      row.cells.push_back(accuracy == nullptr ? kNothing : accuracy_text(*accuracy));
    }
    if (!results.msnr.empty()) {
      const auto& msnr = results.msnr[i].msnr;
      row.cells.push_back(msnr ? fmt::format("{:.2f}", *msnr) : kNothing);
    }
    table.rows.push_back(std::move(row));
  }
  return table;
}

Table blind_table(const eval::Results& results) {
  Table table;
  table.columns = {{"rule", Align::kLeft},          {"right", Align::kRight},
                   {"accuracy", Align::kPoint},     {"gain of the run", Align::kPoint},
                   {"95% interval", Align::kRight}, {"p", Align::kRight},
                   {"fitted", Align::kLeft}};
  for (const eval::BlindResult& rule : results.blind) {
    Row row;
    row.cells.push_back(rule.name);
    if (rule.is_available) {
      const scoring::Accuracy& accuracy = rule.cells.front().accuracy;
      row.cells.insert(row.cells.end(),
                       {count_text(accuracy.correct), accuracy_text(accuracy),
                        signed_points(rule.gain->difference), signed_interval(*rule.gain),
                        p_value(rule.gain->p_value), rule.note});
    } else {
      row.cells.insert(row.cells.end(),
                       {kNothing, kNothing, kNothing, kNothing, kNothing, rule.note});
    }
    table.rows.push_back(std::move(row));
  }
  return table;
}

Table position_table(std::span<const scoring::PositionBias> biases) {
  Table table;
  table.columns = {{"scenes", Align::kRight}, {"answers", Align::kRight}};
  for (int place = 0; place < kMaxScenes; ++place) {
    table.columns.push_back({std::string("chose ") + scene_letter(place), Align::kPoint});
    table.columns.push_back({std::string("is ") + scene_letter(place), Align::kPoint});
  }
  for (const scoring::PositionBias& bias : biases) {
    Row row;
    row.cells = {std::to_string(bias.num_scenes), with_thousands(bias.answered)};
    for (std::size_t place = 0; place < static_cast<std::size_t>(kMaxScenes); ++place) {
      const bool is_there = place < bias.chosen_share.size() && bias.answered > 0;
      row.cells.push_back(is_there ? percent(bias.chosen_share[place]) : kNothing);
      row.cells.push_back(is_there ? percent(bias.gold_share[place]) : kNothing);
    }
    table.rows.push_back(std::move(row));
  }
  return table;
}

std::string counted(std::int64_t number, std::string_view one, std::string_view many) {
  return fmt::format("{} {}", with_thousands(number), number == 1 ? one : many);
}

// What keeps the figures from being those of the whole set, a sentence each.
std::vector<std::string> caveats(const eval::Results& results) {
  const eval::Counts& counts = results.counts;
  std::vector<std::string> lines;
  if (counts.labelled == 0) {
    lines.emplace_back("The set has no gold answers: the answers are kept, nothing is scored.");
  } else if (counts.missing > 0) {
    lines.push_back(
        results.missing_as_wrong
            ? fmt::format("**{} of {} items have no prediction and count as wrong.**",
                          with_thousands(counts.missing), with_thousands(counts.labelled))
            : fmt::format("**Only {} of {} items are scored; {} have no prediction and are left "
                          "out.** The accuracies are not those of the whole set "
                          "(--missing-as-wrong counts them).",
                          with_thousands(counts.scored), with_thousands(counts.labelled),
                          with_thousands(counts.missing)));
  }
  if (counts.failed > 0) {
    lines.push_back(counted(counts.failed, "request", "requests") +
                    " failed; the same command asks again.");
  }
  if (counts.unsupported > 0) {
    std::string sets;
    for (const auto& [modalities, number] : results.unsupported_by_modalities) {
      sets +=
          fmt::format("{}{} ({})", sets.empty() ? "" : ", ", modalities, with_thousands(number));
    }
    lines.push_back(counted(counts.unsupported, "request", "requests") +
                    " could not be put because the model takes no such modality: " + sets + ".");
  }
  if (counts.not_shown > 0) {
    lines.push_back(counted(counts.not_shown, "request", "requests") +
                    " lacked an input for one of the scenes and were not put.");
  }
  if (counts.open > 0) {
    lines.push_back(counted(counts.open, "request", "requests") +
                    " were not put yet: the run is not finished.");
  }
  if (counts.unanswered > 0) {
    lines.push_back(fmt::format("{} no single scene and {} not right by the rule `choice`.",
                                counted(counts.unanswered, "reply names", "replies name"),
                                counts.unanswered == 1 ? "is" : "are"));
  }
  if (counts.blocked > 0) {
    lines.push_back(fmt::format("{} refused for the content and {} not right.",
                                counted(counts.blocked, "question was", "questions were"),
                                counts.blocked == 1 ? "is" : "are"));
  }
  for (const std::string& warning : results.warnings) lines.push_back(warning);
  return lines;
}

std::string section(std::string_view title, const std::string& body) {
  return fmt::format("\n## {}\n\n{}", title, body);
}

// A fence longer than any run of backticks in the text.
std::string code_block(std::string_view language, std::string_view text) {
  std::size_t longest = 2;
  std::size_t run = 0;
  for (const char c : text) {
    run = c == '`' ? run + 1 : 0;
    longest = std::max(longest, run);
  }
  const std::string fence(longest + 1, '`');
  return fmt::format("{}{}\n{}{}{}\n", fence, language, text, text.ends_with('\n') ? "" : "\n",
                     fence);
}

std::string missed_section(const eval::Results& results) {
  Table table;
  table.columns = {{"item", Align::kLeft},
                   {"order", Align::kLeft},
                   {"what", Align::kLeft},
                   {"why", Align::kLeft}};
  for (const eval::MissedRequest& missed : results.missed) {
    if (table.rows.size() == kMaxListedMisses) break;
    Row row;
    row.cells = {missed.item_id, missed.order, std::string(to_string(missed.state)),
                 missed.error.message};
    table.rows.push_back(std::move(row));
  }
  if (results.missed.size() > kMaxListedMisses) {
    table.notes.push_back(
        fmt::format("The first {} are shown; results.json lists more.", kMaxListedMisses));
  }
  return section("Questions without an answer", to_markdown(table));
}

}  // namespace

std::string headline(const eval::Results& results) {
  if (!results.has_scores()) {
    return fmt::format("{}: {} on {}, nothing to score", results.name,
                       counted(results.counts.predictions, "prediction", "predictions"),
                       results.dataset);
  }
  const scoring::Accuracy& all = results.overall();
  std::string text = fmt::format("{}: {} of {} right ({}%, 95% interval {}; chance {}",
                                 results.name, count_text(all.correct), with_thousands(all.total),
                                 percent(all.accuracy), interval(all), percent(results.chance));
  if (results.gain) {
    text += fmt::format("; {} points over {}", signed_points(results.gain->difference.difference),
                        results.gain->over);
  }
  return text + ")";
}

Table breakdown_table(const eval::Results& results, scoring::Grouping grouping) {
  Table table;
  table.columns.push_back({std::string(title_of(grouping)), Align::kLeft});
  table.columns.insert(table.columns.end(), accuracy_columns().begin(), accuracy_columns().end());
  for (const eval::Breakdown& breakdown : results.breakdowns) {
    if (breakdown.grouping != grouping) continue;
    for (const auto& [name, accuracy] : breakdown.groups) {
      Row row;
      row.cells.push_back(name);
      append_accuracy(row, accuracy);
      table.rows.push_back(std::move(row));
    }
  }
  return table;
}

Table confusion_table(const eval::Results& results) {
  Table table;
  table.columns.push_back({"correct \\ chosen", Align::kLeft});
  for (const Modality modality : kModalities) {
    table.columns.push_back({std::string(to_string(modality)), Align::kRight});
  }
  table.columns.push_back({"none", Align::kRight});
  table.columns.push_back({"all", Align::kRight});
  for (std::size_t gold = 0; gold < kModalities.size(); ++gold) {
    const scoring::Confusion::Row& counts = results.confusion.rows[gold];
    Row row;
    row.cells.emplace_back(to_string(kModalities[gold]));
    for (std::size_t i = 0; i < kModalities.size(); ++i) {
      const std::int64_t offered = counts.offered[i];
      row.cells.push_back(offered == 0
                              ? kNothing
                              : fmt::format("{} ({:.0f}%)", with_thousands(counts.chosen[i]),
                                            100.0 * static_cast<double>(counts.chosen[i]) /
                                                static_cast<double>(offered)));
    }
    row.cells.push_back(with_thousands(counts.unanswered));
    row.cells.push_back(with_thousands(counts.total));
    table.rows.push_back(std::move(row));
  }
  table.notes.emplace_back("Per cent of the questions that show a scene of the chosen modality.");
  if (results.confusion.wrong_scene_of_right_modality > 0) {
    table.notes.push_back(
        fmt::format("The diagonal holds {} of a wrong scene that has the right modality.",
                    counted(results.confusion.wrong_scene_of_right_modality, "choice", "choices")));
  }
  return table;
}

Table permutation_table(const eval::Results& results) {
  Table table;
  table.columns.push_back({"over the orders shown", Align::kLeft});
  table.columns.insert(table.columns.end(), accuracy_columns().begin(), accuracy_columns().end());
  if (!results.permutation_scores) return table;
  const scoring::PermutationScores& scores = *results.permutation_scores;
  for (const auto& [name, accuracy] :
       {std::pair("right, every order counted", &scores.plain),
        std::pair("right in all orders of the item", &scores.all_orders),
        std::pair("same scene chosen in all orders", &scores.consistency)}) {
    Row row;
    row.cells.emplace_back(name);
    append_accuracy(row, *accuracy);
    table.rows.push_back(std::move(row));
  }
  table.notes.push_back(
      fmt::format("Position bias {}: so many per cent of the answers would have to move to another "
                  "place for the "
                  "places to be chosen as often as they are right.",
                  percent(scores.total_position_bias)));
  return table;
}

std::string report_markdown(const eval::Results& results, const ReportContext& context) {
  std::string out = fmt::format("# {} on {}\n\n", results.name, results.dataset);
  out += headline(results) + ".\n";
  const std::vector<std::string> lines = caveats(results);
  if (!lines.empty()) out += "\n";
  for (const std::string& line : lines) out += "- " + line + "\n";
  if (results.has_scores()) {
    out += section("Leaderboard", to_markdown(leaderboard_table(make_leaderboard({&results, 1}))));
    out += section("Cells", to_markdown(cell_table(results)) +
                                "\nAccuracies and standard errors in per cent; the intervals take "
                                "the larger error.\n");
    if (!results.msnr.empty()) {
      out +=
          "\nMSNR is (p - m) / m with m the mean accuracy of the same model without input and with "
          "captions of other items.\n";
    }
    out += section("Rules that see nothing",
                   to_markdown(blind_table(results)) +
                       "\nGains are paired differences over the same items, in points.\n");
    for (const scoring::Grouping grouping :
         {scoring::Grouping::kCorrectModality, scoring::Grouping::kModalitySet,
          scoring::Grouping::kCategory, scoring::Grouping::kAnswerPosition}) {
      out += section(fmt::format("By {}", title_of(grouping)),
                     to_markdown(breakdown_table(results, grouping)));
    }
    out += section("Which modality is taken for which", to_markdown(confusion_table(results)));
    out += section("Which place is chosen", to_markdown(position_table(results.position_bias)) +
                                                "\nPer cent of the answers that chose a place, and "
                                                "of the questions whose answer is there.\n");
    if (results.permutation_scores) {
      out += section("Orders of the scenes", to_markdown(permutation_table(results)));
      out += "\n" + to_markdown(position_table(results.permutation_scores->position_bias));
    }
  }
  if (!results.missed.empty()) out += missed_section(results);
  if (!results.published_text.empty()) {
    out += section("As the published scorer prints it", code_block("", results.published_text));
  }
  if (!context.command.empty()) {
    out += section("To repeat this", code_block("sh", context.command));
  }
  std::string made = fmt::format("Scoring rule `{}`; {} (SHA-256 `{}`)", to_string(results.rule),
                                 results.dataset, results.dataset_sha256);
  made += results.fit.empty() ? "; priors not fitted.\n"
                              : fmt::format("; priors fitted on {}.\n", results.fit);
  if (!context.config_json.empty()) made += "\n" + code_block("json", context.config_json);
  return out + section("Settings", made);
}

Table comparison_table(const eval::Comparison& comparison) {
  Table table;
  table.caption = fmt::format("Paired differences on {}, in points", comparison.dataset);
  table.label = "tab:comparison";
  table.columns = {{"a", Align::kLeft},
                   {"b", Align::kLeft},
                   {"items", Align::kRight},
                   {"a", Align::kPoint},
                   {"b", Align::kPoint},
                   {"a \u2212 b", Align::kPoint},
                   {"95% interval", Align::kRight},
                   {"only a", Align::kRight},
                   {"only b", Align::kRight},
                   {"p", Align::kRight},
                   {"p (Holm)", Align::kRight},
                   {"verdict", Align::kLeft}};
  for (const eval::ComparedPair& pair : comparison.pairs) {
    const scoring::PairedDifference& difference = pair.difference;
    const std::string& a = comparison.runs[pair.a].name;
    const std::string& b = comparison.runs[pair.b].name;
    Row row;
    row.cells = {a,
                 b,
                 with_thousands(difference.num_items),
                 percent(difference.accuracy_a),
                 percent(difference.accuracy_b),
                 signed_points(difference.difference),
                 signed_interval(difference),
                 with_thousands(difference.only_a),
                 with_thousands(difference.only_b),
                 p_value(difference.p_value),
                 p_value(difference.p_adjusted),
                 !difference.is_significant  ? "no difference shown"
                 : difference.difference > 0 ? "a is better"
                                             : "b is better"};
    table.rows.push_back(std::move(row));
  }
  table.notes.push_back(
      fmt::format("Intervals and p values count that questions share media; a verdict is given "
                  "where p (Holm) is "
                  "below {}.",
                  comparison.level));
  for (const std::string& warning : comparison.warnings) table.notes.push_back(warning);
  return table;
}

Table comparison_data(const eval::Comparison& comparison) {
  Table table;
  for (const char* name : {"run_a", "run_b", "items", "accuracy_a", "accuracy_b", "difference",
                           "ci95_low", "ci95_high", "stderr", "stderr_shared_media", "only_a",
                           "only_b", "p", "p_holm", "is_significant"}) {
    table.columns.push_back({name, Align::kLeft});
  }
  const auto number = [](double value) { return fmt::format("{}", eval::rounded(value)); };
  for (const eval::ComparedPair& pair : comparison.pairs) {
    const scoring::PairedDifference& difference = pair.difference;
    Row row;
    row.cells = {comparison.runs[pair.a].name,
                 comparison.runs[pair.b].name,
                 std::to_string(difference.num_items),
                 number(difference.accuracy_a),
                 number(difference.accuracy_b),
                 number(difference.difference),
                 number(difference.ci95_low),
                 number(difference.ci95_high),
                 number(difference.stderr_plain),
                 number(difference.stderr_shared_media),
                 std::to_string(difference.only_a),
                 std::to_string(difference.only_b),
                 number(difference.p_value),
                 number(difference.p_adjusted),
                 difference.is_significant ? "true" : "false"};
    table.rows.push_back(std::move(row));
  }
  return table;
}

std::string comparison_markdown(const eval::Comparison& comparison) {
  Table runs;
  runs.columns.push_back({"run", Align::kLeft});
  runs.columns.insert(runs.columns.end(), accuracy_columns().begin(), accuracy_columns().end());
  for (const eval::ComparedRun& run : comparison.runs) {
    Row row;
    row.cells.push_back(run.name);
    append_accuracy(row, run.accuracy);
    runs.rows.push_back(std::move(row));
  }
  return fmt::format("# Comparison on {}\n\n{}\n{}", comparison.dataset, to_markdown(runs),
                     to_markdown(comparison_table(comparison)));
}

}  // namespace contra4::report
