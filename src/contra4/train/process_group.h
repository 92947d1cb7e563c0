// The processes of a training job, and what they do together. On PyTorch's own c10d: Gloo between
// CPUs, NCCL between GPUs.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include <ATen/core/Tensor.h>

#include "contra4/inference/finetune.h"

namespace contra4::train {

// A collective under way.
class Pending {
 public:
  virtual ~Pending() = default;
  // Until the result is in the tensors given. Throws kUnavailable when another process is gone or
  // silent for too long.
  virtual void wait() = 0;
};

// All processes call the same functions in the same order, from one thread each. Tensors are
// contiguous, on the job's device, and stay alive until wait() returned.
class ProcessGroup {
 public:
  virtual ~ProcessGroup() = default;
  virtual int rank() const = 0;
  virtual int size() const = 0;

  // whole [size * n] becomes the parts [n] of all ranks, in their order.
  virtual std::unique_ptr<Pending> all_gather(at::Tensor whole, const at::Tensor& part) = 0;
  // part [n] becomes the sum over all ranks of the rank-th part of their whole [size * n].
  virtual std::unique_ptr<Pending> reduce_scatter(at::Tensor part, const at::Tensor& whole) = 0;
  // The sum over all ranks, in place.
  virtual std::unique_ptr<Pending> all_reduce(at::Tensor sum) = 0;
  virtual void broadcast(at::Tensor tensor, int root) = 0;
  virtual void barrier() = 0;
};

struct ProcessGroupOptions {
  JobRank job;
  at::Device device = at::kCPU;
  std::chrono::seconds timeout{1800};  // of one collective, and for all to come
  // Gloo's, "eth0"; empty: the one that this machine's name resolves to, or the loopback for a job
  // on this machine alone.
  std::string network_interface{};
};

// Of one process nothing is sent and everything is there at once. Throws kUnavailable when the
// others do not come within the time, kUnimplemented for GPUs in a build without NCCL.
std::unique_ptr<ProcessGroup> join_processes(const ProcessGroupOptions& options);

// Ends this process when another one of the job has failed or is gone, so that nobody waits for it.
class FailureWatch {
 public:
  virtual ~FailureWatch() = default;
  // For the others: this process ends with an error, in one line.
  virtual void report(const std::string& error) noexcept = 0;
};

// `on_failure` is called once, from a thread of its own, with rank and words of the first process
// that failed; it should end the process. Says so within 30 s, of a killed process too. The job's
// own end must be told: destroy the watch on all processes after a barrier().
std::unique_ptr<FailureWatch> watch_failures(
    const JobRank& job, std::function<void(int, const std::string&)> on_failure);

}  // namespace contra4::train
