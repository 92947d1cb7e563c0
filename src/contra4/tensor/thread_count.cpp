#include "contra4/tensor/thread_count.h"

#include <algorithm>
#include <thread>

#include <ATen/Parallel.h>
#include <fmt/format.h>

#include "contra4/base/error.h"

namespace contra4::tensor {

namespace {

constexpr int kMaxThreads = 1024;

}  // namespace

int resolve_num_threads(int num_threads) {
  if (num_threads < 0 || num_threads > kMaxThreads) {
    throw Exception(
        ErrorCode::kInvalidArgument,
        fmt::format("{} threads; 0 (all cores) to {} are possible", num_threads, kMaxThreads));
  }
  if (num_threads > 0) return num_threads;
  return std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
}

OpThreads::OpThreads(int num_threads) : before_(at::get_num_threads()) {
  at::set_num_threads(num_threads);
}

OpThreads::~OpThreads() {
  at::set_num_threads(before_);
}

}  // namespace contra4::tensor
