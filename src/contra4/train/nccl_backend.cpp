#include "contra4/train/nccl_backend.h"

#include <c10/cuda/CUDAFunctions.h>
#include <torch/csrc/distributed/c10d/ProcessGroupNCCL.hpp>

namespace contra4::train {

c10::intrusive_ptr<c10d::Backend> make_nccl_backend(const c10::intrusive_ptr<c10d::Store>& store,
                                                    const JobRank& job, at::Device device,
                                                    std::chrono::milliseconds timeout) {
  // Barriers and communicators without a device of their own take the current one.
  if (device.has_index()) c10::cuda::set_device(device.index());
  auto options = c10d::ProcessGroupNCCL::Options::create();
  options->timeout = timeout;
  return c10::make_intrusive<c10d::ProcessGroupNCCL>(store, job.rank, job.count, options);
}

}  // namespace contra4::train
