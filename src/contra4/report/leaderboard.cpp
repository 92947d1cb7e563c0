#include "contra4/report/leaderboard.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "contra4/eval/results_json.h"
#include "contra4/io/json_writer.h"
#include "contra4/report/figures.h"
#include "contra4/scoring/published_accuracies.h"

namespace contra4::report {

namespace {

constexpr std::array<std::string_view, kLeaderboardCells.size()> kTitles = {
    "all", "R", "S", "R2", "R3", "R4", "S2", "S3", "S4"};

void set_cells(LeaderboardEntry& entry, std::span<const scoring::NamedAccuracy> cells) {
  for (std::size_t i = 0; i < kLeaderboardCells.size(); ++i) {
    for (const auto& [name, accuracy] : cells) {
      if (name != kLeaderboardCells[i] || accuracy.total == 0) continue;
      entry.cells[i] = LeaderboardCell{accuracy.accuracy, accuracy};
    }
  }
}

std::string joined(const std::vector<std::string>& names) {
  std::string text;
  for (std::size_t i = 0; i < names.size(); ++i) {
    text += (i == 0 ? "" : i + 1 == names.size() ? " and " : ", ") + names[i];
  }
  return text;
}

// What a reader must know about a run before comparing it.
void add_notes(Leaderboard& board, const eval::Results& run) {
  const eval::Counts& counts = run.counts;
  if (counts.labelled == 0) {
    board.notes.push_back(
        fmt::format("{}: the set has no gold answers; nothing is scored.", run.name));
    return;
  }
  if (counts.missing > 0) {
    board.notes.push_back(
        run.missing_as_wrong
            ? fmt::format("{}: {} of {} items have no prediction and count as wrong.", run.name,
                          with_thousands(counts.missing), with_thousands(counts.labelled))
            : fmt::format(
                  "* {}: only {} of {} items are scored; {} have no prediction and are left "
                  "out, so this row is not comparable with the others.",
                  run.name, with_thousands(counts.scored), with_thousands(counts.labelled),
                  with_thousands(counts.missing)));
  }
}

// Blind rules are named as such, and a replay shows nothing to whoever gave the answers.
std::string input_of(const eval::Results& run) {
  const bool is_told = run.model.starts_with("blind/") || run.model.starts_with("replay/");
  return is_told ? std::string() : run.input;
}

std::string display_name(const LeaderboardEntry& entry) {
  switch (entry.kind) {
    case EntryKind::kBlind:
      return "blind/" + entry.name;
    case EntryKind::kPublished:
      return entry.name + " (published)";
    case EntryKind::kModel:
      break;
  }
  return entry.name + (entry.is_partial ? " *" : "");
}

// Published figures are of the whole test set: beside less than nine tenths of it they mislead.
bool is_comparable_with_published(const eval::Results& run) {
  return run.is_published_test_set &&
         10 * run.counts.scored >= 9 * std::int64_t{scoring::kPublishedNumItems};
}

}  // namespace

std::string_view to_string(EntryKind kind) {
  switch (kind) {
    case EntryKind::kModel:
      return "model";
    case EntryKind::kBlind:
      return "blind";
    case EntryKind::kPublished:
      break;
  }
  return "published";
}

Leaderboard make_leaderboard(std::span<const eval::Results> results) {
  Leaderboard board;
  if (results.empty()) return board;
  board.dataset = results.front().dataset;
  const eval::Results* widest = &results.front();
  for (const eval::Results& run : results) {
    if (run.counts.scored > widest->counts.scored) widest = &run;
    LeaderboardEntry entry;
    entry.kind = EntryKind::kModel;
    entry.name = run.name;
    entry.input = input_of(run);
    entry.is_partial = run.has_scores() && run.counts.missing > 0 && !run.missing_as_wrong;
    if (run.has_scores()) set_cells(entry, run.cells);
    // A blind rule run as a model gains nothing over itself worth a column.
    if (!run.model.starts_with("blind/")) entry.gain = run.gain;
    board.entries.push_back(std::move(entry));
    add_notes(board, run);
  }
  board.num_scored = widest->counts.scored;
  board.num_items = static_cast<std::int64_t>(widest->counts.items);
  std::vector<std::string> unavailable;
  for (const eval::BlindResult& rule : widest->blind) {
    if (!rule.is_available) {
      unavailable.push_back(fmt::format("blind/{} ({})", rule.name, rule.note));
      continue;
    }
    const bool is_run_itself =
        std::any_of(results.begin(), results.end(), [&](const eval::Results& run) {
          return run.model == "blind/" + rule.name && rule.name != "chance";
        });
    if (is_run_itself) continue;
    LeaderboardEntry entry;
    entry.kind = EntryKind::kBlind;
    entry.name = rule.name;
    entry.note = rule.note;
    set_cells(entry, rule.cells);
    entry.is_expectation = rule.name == "chance";
    board.entries.push_back(std::move(entry));
  }
  if (is_comparable_with_published(*widest)) {
    for (const scoring::PublishedAccuracy& published : scoring::published_accuracies()) {
      LeaderboardEntry entry;
      entry.kind = EntryKind::kPublished;
      entry.name = published.model;
      entry.input = published.input;
      entry.note = published.note;
      for (std::size_t i = 0; i < kLeaderboardCells.size(); ++i) {
        if (const auto accuracy = published.find(kLeaderboardCells[i])) {
          entry.cells[i] = LeaderboardCell{*accuracy, std::nullopt};
        }
      }
      if (!published.note.empty()) {
        board.notes.push_back(fmt::format("{}: {}.", published.model, published.note));
      }
      board.entries.push_back(std::move(entry));
    }
  } else if (widest->is_published_test_set) {
    board.notes.push_back(
        fmt::format("Published figures are over all {} questions and left out here.",
                    with_thousands(scoring::kPublishedNumItems)));
  }
  std::stable_sort(board.entries.begin(), board.entries.end(),
                   [](const LeaderboardEntry& a, const LeaderboardEntry& b) {
                     if (!a.cells[0] || !b.cells[0]) return a.cells[0] && !b.cells[0];
                     return a.cells[0]->accuracy > b.cells[0]->accuracy;
                   });
  if (!unavailable.empty()) board.notes.push_back("Left out: " + joined(unavailable) + ".");
  return board;
}

Table leaderboard_table(const Leaderboard& board) {
  Table table;
  table.caption = fmt::format("Accuracy on {} ({} questions), per cent", board.dataset,
                              board.num_scored == board.num_items || board.num_scored == 0
                                  ? with_thousands(board.num_items)
                                  : fmt::format("{} of {}", with_thousands(board.num_scored),
                                                with_thousands(board.num_items)));
  table.label = "tab:leaderboard";
  const bool has_gain =
      std::any_of(board.entries.begin(), board.entries.end(),
                  [](const LeaderboardEntry& entry) { return entry.gain.has_value(); });
  const bool has_gold_captions =
      std::any_of(board.entries.begin(), board.entries.end(),
                  [](const LeaderboardEntry& entry) { return entry.input == "oracle-captions"; });
  table.columns.push_back({"model", Align::kLeft});
  table.columns.push_back({"input", Align::kLeft});
  for (std::size_t i = 0; i < kTitles.size(); ++i) {
    table.columns.push_back({std::string(kTitles[i]), Align::kPoint});
    if (i == 0) table.columns.push_back({"95% interval", Align::kRight});
  }
  if (has_gain) table.columns.push_back({"over best blind", Align::kRight});
  for (const LeaderboardEntry& entry : board.entries) {
    Row row;
    row.kind = entry.kind == EntryKind::kModel ? RowKind::kPlain : RowKind::kReference;
    row.cells.push_back(display_name(entry));
    row.cells.push_back(entry.input.empty() ? "\u2013" : entry.input);
    for (std::size_t i = 0; i < entry.cells.size(); ++i) {
      const auto& cell = entry.cells[i];
      row.cells.push_back(!cell            ? "\u2013"
                          : cell->measured ? percent(cell->accuracy)
                                           : fmt::format("{:.0f}", 100 * cell->accuracy));
      if (i > 0) continue;
      row.cells.emplace_back(
          cell && cell->measured && !entry.is_expectation ? interval(*cell->measured) : "");
    }
    if (has_gain) {
      row.cells.emplace_back(
          entry.gain ? fmt::format("{} {}", signed_points(entry.gain->difference.difference),
                                   signed_interval(entry.gain->difference))
                     : "");
    }
    table.rows.push_back(std::move(row));
  }
  table.notes.emplace_back(
      "R, S: scenes drawn at random or by similarity; 2, 3, 4: how many. Intervals count that "
      "questions share media.");
  if (has_gold_captions) {
    table.notes.emplace_back(
        "oracle-captions: read the data set's own captions of the scenes, not the media.");
  }
  for (const std::string& note : board.notes) table.notes.push_back(note);
  return table;
}

Table leaderboard_data(const Leaderboard& board) {
  Table table;
  table.columns = {{"name", Align::kLeft},
                   {"kind", Align::kLeft},
                   {"input", Align::kLeft},
                   {"cell", Align::kLeft},
                   {"correct", Align::kRight},
                   {"total", Align::kRight},
                   {"accuracy", Align::kRight},
                   {"stderr", Align::kRight},
                   {"stderr_shared_media", Align::kRight},
                   {"ci95_low", Align::kRight},
                   {"ci95_high", Align::kRight}};
  for (const LeaderboardEntry& entry : board.entries) {
    for (std::size_t i = 0; i < entry.cells.size(); ++i) {
      const auto& cell = entry.cells[i];
      if (!cell) continue;
      Row row;
      row.cells = {entry.name, std::string(to_string(entry.kind)), entry.input,
                   std::string(kLeaderboardCells[i])};
      const auto number = [](double value) { return fmt::format("{}", eval::rounded(value)); };
      if (cell->measured) {
        const scoring::Accuracy& accuracy = *cell->measured;
        row.cells.insert(row.cells.end(), {number(accuracy.correct), std::to_string(accuracy.total),
                                           number(accuracy.accuracy)});
        for (const double spread : {accuracy.stderr_plain, accuracy.stderr_shared_media,
                                    accuracy.ci95_low, accuracy.ci95_high}) {
          row.cells.push_back(entry.is_expectation ? std::string() : number(spread));
        }
      } else {
        row.cells.insert(row.cells.end(), {"", "", number(cell->accuracy), "", "", "", ""});
      }
      table.rows.push_back(std::move(row));
    }
  }
  return table;
}

std::string leaderboard_json(const Leaderboard& board) {
  io::JsonWriter json(2);
  json.begin_object();
  json.member("format", 1);
  json.member("dataset", board.dataset);
  json.member("items", board.num_items);
  json.member("scored", board.num_scored);
  json.key("entries").begin_array();
  for (const LeaderboardEntry& entry : board.entries) {
    json.begin_object();
    json.member("name", entry.name);
    json.member("kind", to_string(entry.kind));
    if (entry.input.empty()) {
      json.key("input").null();
    } else {
      json.member("input", entry.input);
    }
    json.member("note", entry.note);
    json.key("accuracy").begin_object();
    for (std::size_t i = 0; i < entry.cells.size(); ++i) {
      if (!entry.cells[i]) continue;
      json.key(kLeaderboardCells[i]);
      if (entry.cells[i]->measured) {
        eval::write_accuracy(json, *entry.cells[i]->measured);
      } else {
        json.begin_object().member("accuracy", entry.cells[i]->accuracy).end_object();
      }
    }
    json.end_object();
    json.key("gain");
    if (entry.gain) {
      json.begin_object();
      json.member("over", entry.gain->over);
      eval::write_difference_members(json, entry.gain->difference);
      json.end_object();
    } else {
      json.null();
    }
    json.end_object();
  }
  json.end_array();
  json.key("notes").begin_array();
  for (const std::string& note : board.notes) json.value(note);
  json.end_array();
  json.end_object();
  return json.take();
}

}  // namespace contra4::report
