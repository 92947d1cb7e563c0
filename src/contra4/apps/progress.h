// How far a long command is, on standard error: one line redrawn on a terminal, a line now and then
// elsewhere, nothing with --quiet.
#pragma once

#include <string>

#include "contra4/apps/command.h"
#include "contra4/base/clock.h"
#include "contra4/eval/evaluator.h"
#include "contra4/inference/finetune.h"
#include "contra4/pipeline/stage.h"

namespace contra4::apps {

class ProgressLine {
 public:
  // Both outlive the line.
  ProgressLine(Context& context, const Clock& clock);
  ~ProgressLine();  // ends the line
  ProgressLine(const ProgressLine&) = delete;
  ProgressLine& operator=(const ProgressLine&) = delete;

  // Shows it if enough time has passed since the last time.
  void update(const eval::EvaluateProgress& progress);
  void update(const pipeline::StepProgress& progress);
  void update(const FinetuneProgress& progress);
  // Leaves the terminal's line empty, for other words.
  void clear();

 private:
  bool is_due();
  double elapsed_s() const;
  void show(const std::string& text);
  Context& context_;
  const Clock& clock_;
  Clock::TimePoint start_;
  Clock::TimePoint last_shown_;
  bool is_drawn_ = false;
};

// "1,234 of 2,335 (52.8%), 118 a second, right 67.1%, 16 in flight, 2 failed, 0:09 left".
std::string progress_text(const eval::EvaluateProgress& progress, double elapsed_s);
// "questions: 1,234 of 22,000 (5.6%), 118 a second, 16 in flight, 2 failed, 3:02 left".
std::string progress_text(const pipeline::StepProgress& progress, double elapsed_s);
// "epoch 2, step 120 of 5,000 (2.4%), loss 1.2345, lr 1.2e-05, gradient norm 0.52, 1,234 tokens/s,
// 12.3 GB, 3:02 left".
std::string progress_text(const FinetuneProgress& progress);

}  // namespace contra4::apps
