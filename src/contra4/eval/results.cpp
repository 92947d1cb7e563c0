#include "contra4/eval/results.h"

#include <algorithm>
#include <array>
#include <map>
#include <utility>

#include <fmt/format.h>

#include "contra4/base/error.h"
#include "contra4/scoring/published_accuracies.h"
#include "contra4/scoring/published_scores.h"
#include "contra4/scoring/scene_view.h"
#include "contra4/scoring/trial.h"

namespace contra4::eval {

namespace {

constexpr std::array kGroupings = {
    scoring::Grouping::kModalitySet, scoring::Grouping::kCorrectModality,
    scoring::Grouping::kCategory, scoring::Grouping::kAnswerPosition};

// Items per cell of the published test set: mc_2, mc_3, mc_4, random then similarity.
constexpr std::array<std::pair<std::string_view, std::int64_t>, 6> kPublishedCellSizes = {
    {{"mc_2/random", 415},
     {"mc_3/random", 416},
     {"mc_4/random", 357},
     {"mc_2/similarity", 396},
     {"mc_3/similarity", 385},
     {"mc_4/similarity", 366}}};

bool has_published_cells(std::span<const Item> items) {
  if (items.size() != static_cast<std::size_t>(scoring::kPublishedNumItems)) return false;
  return std::all_of(kPublishedCellSizes.begin(), kPublishedCellSizes.end(), [&](const auto& cell) {
    return std::count_if(items.begin(), items.end(), [&](const Item& item) {
             return scoring::is_in_cell(item, cell.first);
           }) == cell.second;
  });
}

// Labelled predictions as trials; those of the file's own order alone in `plain`.
struct Trials {
  std::vector<scoring::Trial> all;
  std::vector<scoring::Trial> plain;
};

Trials make_trials(std::span<const Item> items, const PredictionSet& predictions,
                   scoring::ScoringRule rule) {
  Trials trials;
  for (const Prediction& prediction : predictions.rows) {
    const Item& item = items[prediction.item];
    if (!item.answer) continue;
    scoring::Trial trial{prediction.item, prediction.order, prediction.choice, 0};
    if (!prediction.is_blocked) {
      const int gold = scoring::shown_place(prediction.order, *item.answer);
      trial.hit = scoring::is_right(rule, prediction.text, prediction.choice, gold,
                                    scoring::scene_views(item, prediction.order))
                      ? 1
                      : 0;
    }
    if (is_file_order(prediction.order)) trials.plain.push_back(trial);
    trials.all.push_back(std::move(trial));
  }
  return trials;
}

std::vector<scoring::Observation> of_items(std::span<const scoring::Observation> observations,
                                           const std::vector<bool>& is_wanted) {
  std::vector<scoring::Observation> kept;
  for (const scoring::Observation& observation : observations) {
    if (is_wanted[observation.item]) kept.push_back(observation);
  }
  return kept;
}

void count(Results& results, std::span<const Item> items, const Run& run) {
  Counts& counts = results.counts;
  counts.items = static_cast<std::int64_t>(run.selected.size());
  for (const std::size_t item : run.selected) counts.labelled += items[item].answer ? 1 : 0;
  counts.predictions = static_cast<std::int64_t>(run.predictions.rows.size());
  for (const Prediction& prediction : run.predictions.rows) {
    if (prediction.is_blocked) {
      ++counts.blocked;
    } else if (!prediction.choice) {
      ++counts.unanswered;
    }
  }
  counts.requests = counts.predictions;
  if (!run.summary) return;
  counts.requests = run.summary->requests;
  counts.failed = run.summary->failed;
  counts.unsupported = run.summary->unsupported;
  counts.not_shown = run.summary->not_shown;
  counts.open = run.summary->open;
  results.missed = run.summary->missed;
  results.unsupported_by_modalities = run.summary->unsupported_by_modalities;
}

// Blind rules over the same items, and what the run knows more than the best of them.
void score_blind_rules(Results& results, const ScoringContext& context,
                       const std::vector<bool>& is_scored) {
  double best = -1;
  for (const scoring::BlindRow& row : context.blind_rows()) {
    BlindResult blind;
    blind.name = row.name;
    blind.is_available = row.is_available;
    blind.note = row.note;
    if (row.is_available) {
      const auto observations = of_items(row.observations, is_scored);
      blind.cells = scoring::cell_accuracies(context.items(), observations, context.media());
      blind.gain = scoring::compare_paired(results.observations, observations, context.media());
      const double accuracy = blind.cells.front().accuracy.accuracy;
      if (row.name == "chance") results.chance = accuracy;
      if (results.has_scores() && accuracy > best) {
        best = accuracy;
        results.gain = Gain{row.name, *blind.gain};
      }
    }
    results.blind.push_back(std::move(blind));
  }
}

}  // namespace

ScoringContext::ScoringContext(const data::Dataset& dataset, const data::Dataset* fit)
    : dataset_(dataset),
      media_(dataset.items),
      is_published_test_set_(has_published_cells(dataset.items)) {
  if (fit != nullptr) {
    if (!dataset.sha256.empty() && fit->sha256 == dataset.sha256) {
      throw Exception(ErrorCode::kInvalidArgument,
                      fmt::format("--fit is the scored set itself ({}): priors are fitted on "
                                  "another one, the validation set",
                                  dataset.name));
    }
    fit_name_ = fit->name;
  }
  blind_rows_ = scoring::blind_rows(
      dataset.items, fit == nullptr ? std::span<const Item>() : std::span<const Item>(fit->items));
}

Results compute_results(const ScoringContext& context, const Run& run,
                        const ResultsOptions& options) {
  const std::span<const Item> items = context.items();
  const scoring::SharedMedia& media = context.media();
  Results results;
  results.name = run.name;
  results.dataset = context.dataset().name;
  results.dataset_sha256 = context.dataset().sha256;
  if (run.config) {
    results.model = run.config->model;
    results.input = to_string(run.config->input);
    results.permutations = run.config->plan.permutations;
  }
  results.rule = options.rule;
  results.missing_as_wrong = options.missing_as_wrong;
  results.warnings = run.warnings;
  results.warnings.insert(results.warnings.end(), run.predictions.warnings.begin(),
                          run.predictions.warnings.end());
  results.fit = context.fit_name();
  results.is_published_test_set = context.is_published_test_set();
  count(results, items, run);

  Trials trials = make_trials(items, run.predictions, options.rule);
  std::vector<bool> is_scored(items.size(), false);
  for (const scoring::Trial& trial : trials.plain) is_scored[trial.item] = true;
  for (const std::size_t item : run.selected) {
    if (!items[item].answer || is_scored[item]) continue;
    ++results.counts.missing;
    if (!options.missing_as_wrong) continue;
    is_scored[item] = true;
    trials.plain.push_back({item, file_order(items[item].num_scenes()), std::nullopt, 0});
  }
  std::stable_sort(
      trials.plain.begin(), trials.plain.end(),
      [](const scoring::Trial& a, const scoring::Trial& b) { return a.item < b.item; });
  results.counts.scored = static_cast<std::int64_t>(trials.plain.size());
  results.observations = scoring::observations(trials.plain);
  results.cells = scoring::cell_accuracies(items, results.observations, media);
  for (const scoring::Grouping grouping : kGroupings) {
    results.breakdowns.push_back(
        {grouping, scoring::breakdown(grouping, items, trials.plain, media)});
  }
  results.confusion = scoring::confusion(items, trials.plain);
  results.position_bias = scoring::permutation_scores(items, trials.plain, media).position_bias;
  if (trials.all.size() > trials.plain.size() ||
      std::any_of(trials.all.begin(), trials.all.end(),
                  [](const scoring::Trial& trial) { return !is_file_order(trial.order); })) {
    results.permutation_scores = scoring::permutation_scores(items, trials.all, media);
  }
  score_blind_rules(results, context, is_scored);

  if (options.rule == scoring::ScoringRule::kPublished) {
    std::vector<scoring::PublishedPrediction> published;
    for (const Prediction& prediction : run.predictions.rows) {
      if (is_file_order(prediction.order)) published.push_back({prediction.item, prediction.text});
    }
    results.published_text = scoring::published_scores(items, published);
  }
  return results;
}

void add_msnr(std::span<Results> results) {
  const auto find_run = [&](const std::string& model, InputKind input) -> const Results* {
    for (const Results& other : results) {
      if (other.model == model && other.input == to_string(input)) return &other;
    }
    return nullptr;
  };
  for (Results& run : results) {
    if (run.model.empty() || run.input == to_string(InputKind::kNone) ||
        run.input == to_string(InputKind::kRandomCaptions)) {
      continue;
    }
    const Results* const nothing = find_run(run.model, InputKind::kNone);
    const Results* const random = find_run(run.model, InputKind::kRandomCaptions);
    if (nothing == nullptr || random == nullptr) continue;
    run.msnr = scoring::cell_msnr(run.cells, nothing->cells, random->cells);
  }
}

}  // namespace contra4::eval
