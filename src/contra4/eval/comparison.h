// Several runs over the same set, each against each: which differences mean something.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "contra4/eval/results.h"
#include "contra4/scoring/paired.h"

namespace contra4::eval {

struct ComparedRun {
  std::string name;
  scoring::Accuracy accuracy;  // over its own items
};

struct ComparedPair {
  std::size_t a = 0;  // indices into runs
  std::size_t b = 0;
  scoring::PairedDifference difference;  // a minus b, over the items both have
};

struct Comparison {
  std::string dataset;
  scoring::ScoringRule rule = scoring::ScoringRule::kChoice;
  double level = 0.05;
  std::vector<ComparedRun> runs;
  std::vector<ComparedPair> pairs;
  std::vector<std::string> warnings;  // runs that have not the same items
};

struct CompareOptions {
  double level = 0.05;
  bool against_first = false;  // each against the first instead of each against each
};

// Throws kInvalidArgument for fewer than two runs, and for two that share no item.
Comparison compare_runs(const ScoringContext& context, std::span<const Results> results,
                        const CompareOptions& options = {});

std::string comparison_to_json(const Comparison& comparison);

}  // namespace contra4::eval
