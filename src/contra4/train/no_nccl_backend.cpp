#include "contra4/base/error.h"
#include "contra4/train/nccl_backend.h"

namespace contra4::train {

c10::intrusive_ptr<c10d::Backend> make_nccl_backend(
    const c10::intrusive_ptr<c10d::Store>& /*store*/, const JobRank& /*job*/, at::Device device,
    std::chrono::milliseconds /*timeout*/) {
  throw Exception(ErrorCode::kUnimplemented,
                  "[join_processes] this build has no NCCL, which several processes need to train "
                  "on " +
                      device.str() +
                      "; build with a torch wheel for CUDA, the CUDA headers and nccl.h, or train "
                      "on the CPU");
}

}  // namespace contra4::train
