#include "contra4/train/process_group.h"

#include <algorithm>
#include <thread>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <ATen/ops/ones.h>
#include <torch/csrc/distributed/c10d/Backend.hpp>
#include <torch/csrc/distributed/c10d/PrefixStore.hpp>
#include <torch/csrc/distributed/c10d/ProcessGroupGloo.hpp>

#include "contra4/base/error.h"
#include "contra4/train/job_store.h"
#include "contra4/train/nccl_backend.h"

namespace contra4::train {
namespace {

using std::chrono::milliseconds;

class Done final : public Pending {
 public:
  void wait() override {}
};

class SoleProcess final : public ProcessGroup {
 public:
  int rank() const override { return 0; }
  int size() const override { return 1; }
  std::unique_ptr<Pending> all_gather(at::Tensor whole, const at::Tensor& part) override {
    whole.copy_(part);
    return std::make_unique<Done>();
  }
  std::unique_ptr<Pending> reduce_scatter(at::Tensor part, const at::Tensor& whole) override {
    part.copy_(whole);
    return std::make_unique<Done>();
  }
  std::unique_ptr<Pending> all_reduce(at::Tensor /*sum*/) override {
    return std::make_unique<Done>();
  }
  void broadcast(at::Tensor /*tensor*/, int /*root*/) override {}
  void barrier() override {}
};

[[noreturn]] void throw_unavailable(const char* where, const JobRank& job,
                                    const std::exception& error) {
  throw Exception(ErrorCode::kUnavailable,
                  fmt::format("[{}] rank {} of {}: another process is gone or silent: {}", where,
                              job.rank, job.count, first_line(error)));
}

class Collective final : public Pending {
 public:
  Collective(const char* name, const JobRank& job, c10::intrusive_ptr<c10d::Work> work,
             std::vector<at::Tensor> tensors)
      : name_(name), job_(job), work_(std::move(work)), tensors_(std::move(tensors)) {}

  void wait() override {
    if (!work_) return;
    try {
      work_->wait();
    } catch (const std::exception& error) {
      throw_unavailable(name_, job_, error);
    }
    work_.reset();
    tensors_.clear();
  }

 private:
  const char* name_;
  const JobRank& job_;
  c10::intrusive_ptr<c10d::Work> work_;
  std::vector<at::Tensor> tensors_;  // kept alive meanwhile
};

class TorchGroup final : public ProcessGroup {
 public:
  TorchGroup(JobRank job, at::Device device, c10::intrusive_ptr<c10d::Store> store,
             c10::intrusive_ptr<c10d::Backend> backend)
      : job_(std::move(job)),
        device_(device),
        store_(std::move(store)),
        backend_(std::move(backend)) {}

  int rank() const override { return job_.rank; }
  int size() const override { return job_.count; }

  std::unique_ptr<Pending> all_gather(at::Tensor whole, const at::Tensor& part) override {
    CONTRA4_CHECK(whole.numel() == part.numel() * size(), "one part of each process");
    at::Tensor input = part;
    return start("all_gather", {whole, part},
                 [&] { return backend_->_allgather_base(whole, input); });
  }

  std::unique_ptr<Pending> reduce_scatter(at::Tensor part, const at::Tensor& whole) override {
    CONTRA4_CHECK(whole.numel() == part.numel() * size(), "one part for each process");
    at::Tensor input = whole;
    return start("reduce_scatter", {part, whole},
                 [&] { return backend_->_reduce_scatter_base(part, input); });
  }

  std::unique_ptr<Pending> all_reduce(at::Tensor sum) override {
    std::vector<at::Tensor> tensors = {sum};
    return start("all_reduce", {sum}, [&] { return backend_->allreduce(tensors); });
  }

  void broadcast(at::Tensor tensor, int root) override {
    std::vector<at::Tensor> tensors = {tensor};
    c10d::BroadcastOptions options;
    options.rootRank = root;
    start("broadcast", {tensor}, [&] { return backend_->broadcast(tensors, options); })->wait();
  }

  void barrier() override {
    const at::Tensor one = at::ones({1}, at::TensorOptions().device(device_));
    all_reduce(one)->wait();
    // On a GPU wait() orders streams only.
    CONTRA4_CHECK(one.item<float>() == static_cast<float>(size()), "every process counts once");
  }

 private:
  template <class Call>
  std::unique_ptr<Pending> start(const char* name, std::vector<at::Tensor> tensors, Call call) {
    for (const at::Tensor& tensor : tensors)
      CONTRA4_CHECK(tensor.is_contiguous(), "collectives take contiguous tensors");
    if (tensors[0].numel() == 0) return std::make_unique<Done>();
    try {
      return std::make_unique<Collective>(name, job_, call(), std::move(tensors));
    } catch (const std::exception& error) {
      throw_unavailable(name, job_, error);
    }
  }

  JobRank job_;
  at::Device device_;
  c10::intrusive_ptr<c10d::Store> store_;  // rank 0's is the server, which goes last
  c10::intrusive_ptr<c10d::Backend> backend_;
};

std::string rank_key(int rank) {
  return fmt::format("here/{}", rank);
}

// Tells the store of this process, and finds two that claim one rank.
void sign_in(c10d::Store& store, const JobRank& job) {
  if (store.add(fmt::format("claims/{}", job.rank), 1) != 1)
    throw Exception(ErrorCode::kInvalidArgument,
                    fmt::format("[join_processes] two processes say that they are rank {} of the "
                                "job at {}; does each have its own RANK?",
                                job.rank, store_address(job)));
  store.set(rank_key(job.rank), std::to_string(job.count));
}

std::vector<int> find_missing(c10d::Store& store, const JobRank& job) {
  std::vector<std::string> keys;
  for (int rank = 0; rank < job.count; ++rank) keys.push_back(rank_key(rank));
  std::vector<int> missing;
  if (store.check(keys)) return missing;
  for (int rank = 0; rank < job.count; ++rank)
    if (!store.check({rank_key(rank)})) missing.push_back(rank);
  return missing;
}

// Until all have signed in, with the same number of processes.
void await_others(c10d::Store& store, const JobRank& job, milliseconds timeout) {
  constexpr milliseconds kPause{50};
  const auto deadline = std::chrono::steady_clock::now() + timeout;
  for (;;) {
    const std::vector<int> missing = find_missing(store, job);
    if (missing.empty()) break;
    if (std::chrono::steady_clock::now() > deadline)
      throw Exception(
          ErrorCode::kUnavailable,
          fmt::format("[join_processes] rank {} waited {} s at {}: of {} processes rank {} did not "
                      "come; were all started, with the same WORLD_SIZE and MASTER_PORT?",
                      job.rank, std::chrono::duration<double>(timeout).count(), store_address(job),
                      job.count, fmt::join(missing, ", ")));
    std::this_thread::sleep_for(kPause);
  }
  for (int rank = 0; rank < job.count; ++rank)
    if (const std::string count = store.get_to_str(rank_key(rank));
        count != std::to_string(job.count))
      throw Exception(
          ErrorCode::kInvalidArgument,
          fmt::format("[join_processes] rank {} was told of {} processes, rank {} of {}", job.rank,
                      job.count, rank, count));
}

bool is_this_machine(const std::string& host) {
  return host == "localhost" || host == "::1" || host.starts_with("127.");
}

c10::intrusive_ptr<c10d::Backend> make_gloo_backend(const c10::intrusive_ptr<c10d::Store>& store,
                                                    const ProcessGroupOptions& options) {
  using Gloo = c10d::ProcessGroupGloo;
  auto gloo = Gloo::Options::create(options.timeout);
  if (!options.network_interface.empty()) {
    gloo->devices.push_back(Gloo::createDeviceForInterface(options.network_interface));
  } else if (is_this_machine(options.job.host)) {
    gloo->devices.push_back(Gloo::createDeviceForHostname("127.0.0.1"));
  } else {
    gloo->devices.push_back(Gloo::createDefaultDevice());
  }
  return c10::make_intrusive<Gloo>(store, options.job.rank, options.job.count, gloo);
}

void check_job(const JobRank& job) {
  if (job.count >= 1 && job.rank >= 0 && job.rank < job.count && job.port > 0 && job.port < 65536)
    return;
  throw Exception(ErrorCode::kInvalidArgument,
                  fmt::format("[join_processes] rank {} of {} processes at {} cannot be", job.rank,
                              job.count, store_address(job)));
}

}  // namespace

std::unique_ptr<ProcessGroup> join_processes(const ProcessGroupOptions& options) {
  const JobRank& job = options.job;
  check_job(job);
  if (job.count == 1) return std::make_unique<SoleProcess>();
  try {
    auto store = connect_store(job, true, options.timeout);
    sign_in(*store, job);
    await_others(*store, job, options.timeout);
    auto names = c10::make_intrusive<c10d::PrefixStore>("group", store);
    auto group = std::make_unique<TorchGroup>(
        job, options.device, store,
        options.device.is_cpu() ? make_gloo_backend(names, options)
                                : make_nccl_backend(names, job, options.device, options.timeout));
    group->barrier();  // nobody needs the store any more to find the others
    return group;
  } catch (const Exception&) {
    throw;
  } catch (const std::exception& error) {
    throw Exception(ErrorCode::kUnavailable,
                    fmt::format("[join_processes] rank {} of {} at {}: {}", job.rank, job.count,
                                store_address(job), first_line(error)));
  }
}

}  // namespace contra4::train
