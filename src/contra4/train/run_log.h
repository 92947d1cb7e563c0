// What a training says of itself in files: every step for programs (steps.jsonl), every epoch as
// published (log.txt), and TensorBoard's event files.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <vector>

#include "contra4/io/journal.h"
#include "contra4/train/event_file.h"

namespace contra4::train {

struct StepRecord {
  std::int64_t epoch = 0;
  std::int64_t step = 0;  // optimizer steps done in all, this one among them
  double loss = 0;
  double learning_rate = 0;
  double gradient_norm = 0;
};

// Of one process, the first. Holds the output folder: a second training there is refused.
class RunLog {
 public:
  // Goes on after `step`: what an earlier start wrote of later steps is taken away. `events`:
  // folder of the event files; empty: none. Throws kUnavailable while another process has the
  // folder, kResourceExhausted on a full disk.
  RunLog(const std::filesystem::path& output, const std::filesystem::path& events,
         std::int64_t step);
  ~RunLog();
  RunLog(const RunLog&) = delete;
  RunLog& operator=(const RunLog&) = delete;

  void add(const StepRecord& record);
  void add_accuracy(std::int64_t step, double accuracy);
  // The line of an epoch: means over its steps.
  void end_epoch(std::int64_t epoch, std::optional<double> accuracy);

 private:
  std::filesystem::path output_;
  std::vector<StepRecord> epoch_steps_;  // of the epoch under way
  std::optional<io::JournalWriter> steps_;
  std::unique_ptr<EventFile> events_;
};

}  // namespace contra4::train
