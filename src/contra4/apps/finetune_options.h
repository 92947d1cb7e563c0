// From the flags of `contra4 finetune` to what is trained.
#pragma once

#include "contra4/apps/command.h"
#include "contra4/apps/finetune_flags.h"
#include "contra4/inference/finetune.h"

namespace contra4::apps {

// What --lr and its like are where they are not given.
struct TrainingDefaults {
  double learning_rate = 0;
  double min_learning_rate = 0;
  // Of the training; below 0: one epoch, whatever their number.
  double warmup_share = 0;
  double weight_decay = 0;
};
TrainingDefaults training_defaults(TrainedPart trained, bool is_compat);

// Between two checkpoints; 0: none between.
struct SaveInterval {
  std::int64_t steps = 0;
  double minutes = 0;
};
// "500", "90s", "30min", "2h". Throws UsageError.
SaveInterval parse_save_interval(const std::string& text);

// Everything but items, decoder and what depends on the machine's GPUs (see choose_device()). Reads
// the template's file. Throws UsageError for flags that contradict each other, kNotFound for a
// checkpoint, configuration, tokenizer or checkpoint to resume from that is not there.
FinetuneOptions finetune_options(const FinetuneFlags& flags, const Context& context);

// Sets device, type and micro-batches where no flag did.
void choose_device(FinetuneOptions& options, const FinetuneFlags& flags, int num_gpus);

// The warm-up is a share of the training; a training that ends by --max-steps is as long as that.
void set_warmup(FinetuneOptions& options, const FinetuneFlags& flags, std::int64_t steps_per_epoch,
                std::int64_t total_steps);

// What flags of the published script do otherwise than their names say, one sentence each.
std::vector<std::string> notes_of(const FinetuneFlags& flags);

}  // namespace contra4::apps
