// All figures of one run: a pure function of the set, the predictions and the fit set. The JSON
// form is described in docs/results-format.md.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "contra4/data/item_reader.h"
#include "contra4/eval/run_set.h"
#include "contra4/scoring/accuracy.h"
#include "contra4/scoring/blind_rules.h"
#include "contra4/scoring/breakdown.h"
#include "contra4/scoring/msnr.h"
#include "contra4/scoring/paired.h"
#include "contra4/scoring/permutation_scores.h"
#include "contra4/scoring/scoring_rule.h"
#include "contra4/scoring/shared_media.h"

namespace contra4::eval {

// What several runs over one set share. Keeps references to both sets.
class ScoringContext {
 public:
  // Without `fit` the blind rules that need fitting stand as not fitted. Throws kInvalidArgument
  // when `fit` is the scored set itself.
  explicit ScoringContext(const data::Dataset& dataset, const data::Dataset* fit = nullptr);

  const data::Dataset& dataset() const { return dataset_; }
  std::span<const Item> items() const { return dataset_.items; }
  const scoring::SharedMedia& media() const { return media_; }
  const std::vector<scoring::BlindRow>& blind_rows() const { return blind_rows_; }
  // Name of the fit set; empty without.
  const std::string& fit_name() const { return fit_name_; }
  // By the number of items in each cell: published figures can stand beside.
  bool is_published_test_set() const { return is_published_test_set_; }

 private:
  const data::Dataset& dataset_;
  scoring::SharedMedia media_;
  std::vector<scoring::BlindRow> blind_rows_;
  std::string fit_name_;
  bool is_published_test_set_ = false;
};

struct ResultsOptions {
  scoring::ScoringRule rule = scoring::ScoringRule::kChoice;
  // Items without a prediction: false leaves them out of the accuracies and says so; true counts
  // them as wrong.
  bool missing_as_wrong = false;
};

// Items count once, in the order of the file; requests count each order.
struct Counts {
  std::int64_t items = 0;     // that the run was to answer
  std::int64_t labelled = 0;  // of them, with a gold answer
  std::int64_t scored = 0;    // of these, in the accuracies
  std::int64_t missing = 0;   // labelled items without a prediction, scored as wrong or left out
  // Planned: items times orders; of a file, its rows and what is missing.
  std::int64_t requests = 0;
  std::int64_t predictions = 0;  // that have an answer, right, wrong or none
  // Of them, replies that name no single scene; never right by `choice`.
  std::int64_t unanswered = 0;
  std::int64_t blocked = 0;  // of them, refused for their content; never right
  // Of a run's folder; not among the predictions.
  std::int64_t failed = 0;
  std::int64_t unsupported = 0;
  std::int64_t not_shown = 0;
  std::int64_t open = 0;
};

// How much more of the same items a run gets right than a rule that sees nothing.
struct Gain {
  std::string over;  // "modality-prior"
  scoring::PairedDifference difference;
};

// A blind rule over the scored items of the run.
struct BlindResult {
  std::string name;
  bool is_available = true;
  std::string note;
  std::vector<scoring::NamedAccuracy> cells;      // empty when not available
  std::optional<scoring::PairedDifference> gain;  // run minus rule; empty when not available
};

struct Breakdown {
  scoring::Grouping grouping = scoring::Grouping::kModalitySet;
  std::vector<scoring::NamedAccuracy> groups;
};

struct Results {
  std::string name;
  std::string dataset;
  std::string dataset_sha256;
  std::string model;  // SPEC; empty for a file
  std::string input;  // of a folder; empty for a file
  Permutations permutations = Permutations::kNone;
  scoring::ScoringRule rule = scoring::ScoringRule::kChoice;
  bool missing_as_wrong = false;
  Counts counts;
  std::vector<MissedRequest> missed;
  std::map<std::string, std::int64_t> unsupported_by_modalities;
  std::vector<std::string> warnings;

  // Of the file's own order. Cells without items have total 0.
  std::vector<scoring::NamedAccuracy> cells;
  double chance = 0;  // expected accuracy of guessing on the scored items
  std::vector<Breakdown> breakdowns;
  scoring::Confusion confusion;
  std::vector<scoring::PositionBias> position_bias;              // of the file's order alone
  std::optional<scoring::PermutationScores> permutation_scores;  // when there are other orders
  std::vector<BlindResult> blind;
  std::string fit;                       // the set that priors were fitted on; empty: none
  std::optional<Gain> gain;              // over the best available rule
  std::vector<scoring::NamedMsnr> msnr;  // empty unless given
  std::string published_text;            // of --scoring published

  // What cells were computed from: for comparisons.
  std::vector<scoring::Observation> observations;
  // Whether the set is the published test set, so that published figures can stand beside.
  bool is_published_test_set = false;

  const scoring::Accuracy& overall() const { return cells.front().accuracy; }
  bool has_scores() const { return counts.scored > 0; }
};

Results compute_results(const ScoringContext& context, const Run& run,
                        const ResultsOptions& options = {});

// Gives each run its MSNR whose model also has a run with `none` and one with `random-captions`.
void add_msnr(std::span<Results> results);

// Indented, without a line break at the end.
std::string results_to_json(const Results& results);
// Several runs: {"runs": [...]}; each as results_to_json.
std::string results_to_json(std::span<const Results> results);

}  // namespace contra4::eval
