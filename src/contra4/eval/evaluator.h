// Asks an answerer every open question of a plan. Each answer is in the journal before it counts,
// so that a run killed at any moment continues where it was.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <stop_token>

#include "contra4/eval/input.h"
#include "contra4/eval/request_plan.h"
#include "contra4/eval/run_summary.h"
#include "contra4/inference/answerer.h"
#include "contra4/io/journal.h"
#include "contra4/scoring/scoring_rule.h"

namespace contra4::eval {

struct EvaluateOptions {
  std::uint64_t seed = 0;  // each request's own is made of it, id and order
  scoring::ScoringRule scoring = scoring::ScoringRule::kChoice;  // of the running accuracy only
  io::JournalOptions journal{};
};

// Counts of requests. done + failed + unsupported + not_shown + in_flight + open = total.
struct EvaluateProgress {
  std::int64_t total = 0;
  std::int64_t done = 0;     // answered or blocked, earlier runs included
  std::int64_t resumed = 0;  // of them, found in the journal
  std::int64_t blocked = 0;
  std::int64_t failed = 0;
  std::int64_t unsupported = 0;
  std::int64_t not_shown = 0;
  std::int64_t in_flight = 0;
  // Of the answers of this process whose item has a gold answer.
  std::int64_t scored = 0;
  std::int64_t right = 0;
};
using ProgressCallback = std::function<void(const EvaluateProgress&)>;

struct EvaluateOutcome {
  EvaluateProgress progress;  // at the end
  RunSummary summary;         // of the whole plan, earlier runs included
  bool is_cancelled = false;  // a stop was asked for before everything was asked
  // Whether all was asked: false after a stop, or when the answerer ended early (a budget).
  bool is_complete() const { return summary.open == 0; }
};

// Calls `progress` once before the first question and after every answer, on the calling thread.
// Final answers of the journal are not asked again; failed, unsupported and unshown requests are.
// Exceptions of the answerer (a refused key, a dead server) pass through; what was answered is
// kept.
EvaluateOutcome evaluate(const RequestPlan& plan, Answerer& answerer, const SceneSource& scenes,
                         const std::filesystem::path& journal_path, const EvaluateOptions& options,
                         const ProgressCallback& progress, std::stop_token stop);

}  // namespace contra4::eval
