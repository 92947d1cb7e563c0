// The key-value store through which the processes of a job find each other, as torchrun keeps it.
#pragma once

#include <chrono>
#include <exception>
#include <string>

#include <torch/csrc/distributed/c10d/Store.hpp>

#include "contra4/inference/finetune.h"

namespace contra4::train {

// A connection of its own, with the keys of `job.store_prefix`. With `listens` rank 0 is also the
// server, unless an agent is. Throws what c10d throws when nobody answers within the time.
c10::intrusive_ptr<c10d::Store> connect_store(const JobRank& job, bool listens,
                                              std::chrono::milliseconds timeout);

// "10.0.0.1:29500"
std::string store_address(const JobRank& job);

// The first line of what libtorch says, without where it was compiled.
std::string first_line(const std::exception& error);

}  // namespace contra4::train
