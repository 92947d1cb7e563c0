#include "contra4/eval/run_set.h"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include <fmt/format.h>

#include "contra4/base/error.h"

namespace contra4::eval {

namespace {

struct Folder {
  std::filesystem::path path;
  StoredConfig config;
};

bool is_same_run(const StoredConfig& a, const StoredConfig& b) {
  for (const ConfigDifference& difference : config_differences(a.json, b.json)) {
    if (difference.is_decisive && difference.name != "shard") return false;
  }
  return a.plan.shard.count == b.plan.shard.count;
}

void add(RunSummary& total, RunSummary part) {
  total.requests += part.requests;
  total.answered += part.answered;
  total.blocked += part.blocked;
  total.unsupported += part.unsupported;
  total.failed += part.failed;
  total.not_shown += part.not_shown;
  total.open += part.open;
  total.damaged_lines += part.damaged_lines;
  for (MissedRequest& missed : part.missed) total.missed.push_back(std::move(missed));
  for (const auto& [modalities, count] : part.unsupported_by_modalities) {
    total.unsupported_by_modalities[modalities] += count;
  }
}

void add(PredictionSet& total, PredictionSet part) {
  for (Prediction& row : part.rows) total.rows.push_back(std::move(row));
  total.unknown_ids += part.unknown_ids;
  total.duplicates += part.duplicates;
  total.wrong_rows += part.wrong_rows;
  for (std::string& warning : part.warnings) total.warnings.push_back(std::move(warning));
}

// Adds one folder to a run: its predictions, and what its journal says of the rest.
void add_folder(Run& run, const Folder& folder, const data::Dataset& dataset) {
  const auto predictions = folder.path / "predictions.json";
  if (!std::filesystem::exists(predictions)) {
    throw Exception(ErrorCode::kNotFound,
                    fmt::format("{}: no predictions.json; the run is not finished: repeat its "
                                "evaluate command, which continues it",
                                folder.path.string()));
  }
  run.paths.push_back(folder.path);
  add(run.predictions, read_predictions(predictions, dataset.items));
  if (folder.config.dataset_sha256 != dataset.sha256) {
    run.warnings.push_back(fmt::format(
        "{}: made on another file than the one it is scored on ({}, SHA-256 {}...)",
        folder.path.string(), folder.config.dataset, folder.config.dataset_sha256.substr(0, 12)));
  }
  const RequestPlan plan(dataset.items, folder.config.plan);
  for (std::size_t i = 0; i < plan.num_items(); ++i) run.selected.push_back(plan.item_at(i));
  const auto journal = folder.path / "journal.jsonl";
  if (folder.config.dataset_sha256 == dataset.sha256 && std::filesystem::exists(journal)) {
    JournalIndex index(plan);
    index.read(journal);
    if (!run.summary) run.summary.emplace();
    add(*run.summary, summarize(plan, index, journal));
  }
}

Run merge(std::vector<Folder> folders, const data::Dataset& dataset) {
  std::sort(folders.begin(), folders.end(), [](const Folder& a, const Folder& b) {
    return a.config.plan.shard.index < b.config.plan.shard.index;
  });
  Run run;
  run.name = folders.front().config.model;
  run.config = folders.front().config;
  const int count = run.config->plan.shard.count;
  std::set<int> given;
  for (const Folder& folder : folders) {
    if (!given.insert(folder.config.plan.shard.index).second) {
      throw Exception(ErrorCode::kInvalidArgument,
                      fmt::format("{}: shard {} is given twice", folder.path.string(),
                                  to_string(folder.config.plan.shard)));
    }
    add_folder(run, folder, dataset);
  }
  std::string missing;
  for (int index = 1; index <= count && missing.size() < 80; ++index) {
    if (!given.contains(index)) missing += fmt::format(" {}/{}", index, count);
  }
  if (!missing.empty()) {
    run.warnings.push_back(fmt::format("shards not given, their items are not scored:{}", missing));
  }
  std::sort(run.selected.begin(), run.selected.end());
  std::stable_sort(run.predictions.rows.begin(), run.predictions.rows.end(),
                   [](const Prediction& a, const Prediction& b) { return a.item < b.item; });
  return run;
}

std::string distinct_part(const Run& run) {
  return run.paths.front().filename().empty() ? run.paths.front().parent_path().filename().string()
                                              : run.paths.front().filename().string();
}

// Runs of one model are told apart by their input, else by their folder, else by a number.
void make_names_unique(std::vector<Run>& runs) {
  const auto groups = [&] {
    std::map<std::string, std::vector<Run*>> by_name;
    for (Run& run : runs) by_name[run.name].push_back(&run);
    return by_name;
  };
  for (const auto& [name, same] : groups()) {
    if (same.size() < 2) continue;
    std::set<InputKind> inputs;
    const bool has_configs = std::all_of(same.begin(), same.end(),
                                         [](const Run* run) { return run->config.has_value(); });
    if (has_configs) {
      for (const Run* run : same) inputs.insert(run->config->input);
    }
    const bool is_told_by_input = inputs.size() == same.size();
    for (Run* run : same) {
      run->name = fmt::format(
          "{} ({})", name,
          is_told_by_input ? std::string(to_string(run->config->input)) : distinct_part(*run));
    }
  }
  for (const auto& [name, same] : groups()) {
    for (std::size_t i = 1; i < same.size(); ++i) {
      same[i]->name = fmt::format("{} #{}", name, i + 1);
    }
  }
}

}  // namespace

std::vector<Run> load_runs(std::span<const std::filesystem::path> paths,
                           const data::Dataset& dataset) {
  std::vector<Run> runs;
  std::vector<std::vector<Folder>> groups;
  // Where in `runs` each group goes: runs stand in the order of the command line.
  std::vector<std::size_t> places;
  for (const auto& path : paths) {
    if (std::filesystem::is_directory(path)) {
      Folder folder{path, read_config(path)};
      const auto group =
          folder.config.plan.shard.is_whole()
              ? groups.end()
              : std::find_if(groups.begin(), groups.end(), [&](const std::vector<Folder>& other) {
                  return is_same_run(other.front().config, folder.config);
                });
      if (group != groups.end()) {
        group->push_back(std::move(folder));
        continue;
      }
      groups.push_back({std::move(folder)});
      places.push_back(runs.size());
      runs.emplace_back();
      continue;
    }
    Run run;
    run.name = path.stem().string();
    run.paths = {path};
    run.predictions = read_predictions(path, dataset.items);
    for (std::size_t item = 0; item < dataset.items.size(); ++item) run.selected.push_back(item);
    runs.push_back(std::move(run));
  }
  for (std::size_t i = 0; i < groups.size(); ++i) {
    runs[places[i]] = merge(std::move(groups[i]), dataset);
  }
  make_names_unique(runs);
  return runs;
}

}  // namespace contra4::eval
