#include "contra4/train/finetune.h"

#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>

#include <fmt/format.h>

#include "contra4/base/error.h"
#include "contra4/tensor/thread_count.h"
#include "contra4/train/process_group.h"
#include "contra4/train/training.h"

namespace contra4::train {

namespace {

// A process that waits within a collective cannot be woken: it ends here, when another one failed.
void end_after_failure(int rank, const std::string& words) {
  fmt::print(stderr, "process {} of the job failed: {}\n", rank, words);
  std::fflush(stderr);
  std::_Exit(1);
}

}  // namespace

FinetuneOutcome finetune(const FinetuneOptions& options, const FinetuneObserver& observer,
                         std::stop_token stop) {
  const tensor::OpThreads threads(tensor::resolve_num_threads(options.num_threads));
  const auto group = join_processes({.job = options.job, .device = training_device(options)});
  std::unique_ptr<FailureWatch> watch;
  if (options.job.count > 1) watch = watch_failures(options.job, end_after_failure);
  try {
    FinetuneOutcome outcome;
    {
      Training training(options, observer, *group);
      outcome = training.run(stop);
    }
    group->barrier();
    return outcome;
  } catch (const std::exception& error) {
    if (watch) watch->report(error.what());
    throw;
  }
}

}  // namespace contra4::train
