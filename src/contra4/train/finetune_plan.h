// What a training would do and take, from the names and shapes of its checkpoint.
#pragma once

#include <cstdint>
#include <span>

#include "contra4/inference/finetune.h"
#include "contra4/inference/finetune_plan.h"
#include "contra4/models/onellm/sizes.h"
#include "contra4/tensor/checkpoint.h"
#include "contra4/train/batch_sampler.h"
#include "contra4/train/training_set.h"
#include "contra4/train/unit.h"

namespace contra4::train {

// Throws what Training throws while it reads: kNotFound, kDataLoss, kInvalidArgument.
FinetunePlan plan_finetune(const FinetuneOptions& options);

// Parts of it.

// A batch that is computed in parts is as many more batches of a step: the same questions, the same
// gradient but for rounding, and the memory of one part. Throws kInvalidArgument for parts that do
// not make whole batches, and for parts under is_compat.
BatchSamplerOptions sampler_options(const FinetuneOptions& options, int num_processes);

// Fills in weight_bytes, master_bytes, moment_bytes, gradient_bytes of a process that trains these
// units beside so many frozen weights.
void add_weight_bytes(FinetunePlan& plan, std::span<const UnitPlan> units,
                      const FinetuneOptions& options);

// About what a micro-batch keeps for its backward pass: the inputs of every product and of every
// function that is not linear; under options.recomputes only the inputs of layers, and one layer's
// all. The text is that of the longest question of the costliest modalities.
std::uint64_t estimate_activations(const models::onellm::Sizes& sizes,
                                   const tensor::Checkpoint& checkpoint, const TrainingSet& set,
                                   const FinetuneOptions& options);

}  // namespace contra4::train
