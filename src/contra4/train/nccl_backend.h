// NCCL, in a build that has it.
#pragma once

#include <chrono>

#include <c10/core/Device.h>
#include <torch/csrc/distributed/c10d/Backend.hpp>
#include <torch/csrc/distributed/c10d/Store.hpp>

#include "contra4/inference/finetune.h"

namespace contra4::train {

// Throws kUnimplemented in a build without.
c10::intrusive_ptr<c10d::Backend> make_nccl_backend(const c10::intrusive_ptr<c10d::Store>& store,
                                                    const JobRank& job, at::Device device,
                                                    std::chrono::milliseconds timeout);

}  // namespace contra4::train
