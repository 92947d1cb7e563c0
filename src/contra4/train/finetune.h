// Fine-tuning as the torch module gives it to the program.
#pragma once

#include <stop_token>

#include "contra4/inference/finetune.h"

namespace contra4::train {

// One process of a job: all of them call it with the same options but for the job's rank. Where
// one fails, all end: a process that waits for a failed one is ended (exit code 1), after saying
// why. Throws as Training.
FinetuneOutcome finetune(const FinetuneOptions& options, const FinetuneObserver& observer,
                         std::stop_token stop);

}  // namespace contra4::train
