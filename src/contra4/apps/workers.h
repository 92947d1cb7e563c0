// Several processes of one evaluation, started by torchrun, srun or mpirun: each answers its share
// in a folder of its own, the first one puts the shares together. They meet in the file system
// alone.
#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <stop_token>
#include <vector>

#include "contra4/apps/environment.h"
#include "contra4/base/clock.h"
#include "contra4/eval/request_plan.h"

namespace contra4::apps {

// <run>/workers/<rank + 1>-of-<count>.
std::filesystem::path worker_folder(const std::filesystem::path& run, int rank, int count);

// The journals of a run and of all its workers, also of an earlier start with another number of
// them; without `except`, which is one of them.
std::vector<std::filesystem::path> journals_of_run(const std::filesystem::path& run,
                                                   const std::filesystem::path& except);

// The share of a worker of what `whole` asks. A whole that is itself a shard is not shared.
eval::PlanOptions share_of(const eval::PlanOptions& whole, const Worker& worker);

struct WaitForWorkers {
  std::filesystem::path run;
  Worker worker;  // who waits
  std::chrono::seconds patience{};
  // Called about once a second with the number of workers that are done.
  std::function<void(int)> tell;
};

// Returns when every other worker has written its predictions, or has journaled nothing for as long
// as `patience`: those (ranks) are given back. All of them at once after a stop.
std::vector<int> wait_for_workers(const WaitForWorkers& wait, const Clock& clock,
                                  const std::stop_token& stop);

}  // namespace contra4::apps
