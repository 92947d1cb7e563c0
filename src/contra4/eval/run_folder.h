// The folder of a run: config.json (all that decided the result), journal.jsonl (every reply),
// predictions.json, results.json, report.md. A run continues in its folder; a run with other
// settings does not.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "contra4/eval/input.h"
#include "contra4/eval/request_plan.h"
#include "contra4/io/json.h"
#include "contra4/scoring/scoring_rule.h"

namespace contra4::eval {

struct RunConfig {
  std::string dataset;         // name of the set
  std::string dataset_sha256;  // of its file
  std::int64_t num_items = 0;  // of the whole set
  std::string model;           // as typed: "openai/gpt-4o-mini"
  std::string model_json;      // Answerer::description_json()
  InputKind input = InputKind::kMedia;
  std::string captions_sha256;  // of --captions; empty without
  std::string fit_sha256;       // of --fit; empty without
  PlanOptions plan;
  std::uint64_t seed = 0;
  // What else decided the answers, name and JSON text: prompt, sampling, ...
  std::vector<std::pair<std::string, std::string>> settings;
  // May change: the same answers are scored anew.
  scoring::ScoringRule scoring = scoring::ScoringRule::kChoice;
};

// config.json: no time, no host, no path that another machine would write differently.
std::string to_json(const RunConfig& config);

// What a stored config.json says, for scoring a folder later.
struct StoredConfig {
  std::string dataset;
  std::string dataset_sha256;
  std::string model;
  InputKind input = InputKind::kMedia;
  PlanOptions plan;
  scoring::ScoringRule scoring = scoring::ScoringRule::kChoice;
  io::JsonValue json;  // the whole document
};
// Throws kNotFound when the folder has no config.json, kDataLoss when it cannot be read.
StoredConfig read_config(const std::filesystem::path& folder);

// One setting that two configurations disagree on. Nested members have dotted names.
struct ConfigDifference {
  std::string name;
  std::string before;  // JSON text; empty: not set
  std::string after;
  // The scoring rule, the version and where the servers are do not change an answer.
  bool is_decisive = true;
};
std::vector<ConfigDifference> config_differences(const io::JsonValue& before,
                                                 const io::JsonValue& after);

// runs/<dataset>-<model>-<eight digits of the hash of all that decides>, below `parent`.
std::filesystem::path default_run_folder(const RunConfig& config,
                                         const std::filesystem::path& parent = "runs");

class RunFolder {
 public:
  // Makes the folder or continues it; config.json is on disk afterwards. `overwrite` removes what
  // an earlier run left (its five files, nothing else). Throws kInvalidArgument naming each
  // decisive difference, kUnavailable when another process is writing to the folder.
  static RunFolder open(const std::filesystem::path& folder, const RunConfig& config,
                        bool overwrite = false);

  const std::filesystem::path& path() const { return path_; }
  std::filesystem::path config_path() const { return path_ / "config.json"; }
  std::filesystem::path journal_path() const { return path_ / "journal.jsonl"; }
  std::filesystem::path predictions_path() const { return path_ / "predictions.json"; }
  std::filesystem::path results_path() const { return path_ / "results.json"; }
  std::filesystem::path report_path() const { return path_ / "report.md"; }

  bool is_continued() const { return is_continued_; }
  // What changed without changing an answer (another version, another server): worth a word.
  const std::vector<ConfigDifference>& changes() const { return changes_; }

 private:
  explicit RunFolder(std::filesystem::path path) : path_(std::move(path)) {}
  std::filesystem::path path_;
  bool is_continued_ = false;
  std::vector<ConfigDifference> changes_;
};

}  // namespace contra4::eval
