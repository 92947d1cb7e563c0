// The report of a run: report.md, and its tables one by one for the terminal.
#pragma once

#include <string>

#include "contra4/eval/comparison.h"
#include "contra4/eval/results.h"
#include "contra4/report/table.h"
#include "contra4/scoring/breakdown.h"

namespace contra4::report {

struct ReportContext {
  std::string config_json;  // config.json as it is; empty for a file of predictions
  std::string command;      // that gives the same report again; empty: left out
};

// The whole page: headline, leaderboard, breakdowns, confusion, position, permutations, what went
// wrong, configuration. Says nothing that varies from run to run.
std::string report_markdown(const eval::Results& results, const ReportContext& context);

// One line for the terminal: "embed/minilm: 1,566 of 2,335 right (67.1%, 95% interval ...)".
std::string headline(const eval::Results& results);

Table breakdown_table(const eval::Results& results, scoring::Grouping grouping);
Table confusion_table(const eval::Results& results);
Table permutation_table(const eval::Results& results);

// Paired differences, one row a pair.
Table comparison_table(const eval::Comparison& comparison);
// For further work: a line per pair with every number of it, accuracies between 0 and 1.
Table comparison_data(const eval::Comparison& comparison);
std::string comparison_markdown(const eval::Comparison& comparison);

}  // namespace contra4::report
