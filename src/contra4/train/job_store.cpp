#include "contra4/train/job_store.h"

#include <fmt/format.h>

#include <torch/csrc/distributed/c10d/PrefixStore.hpp>
#include <torch/csrc/distributed/c10d/TCPStore.hpp>

namespace contra4::train {

c10::intrusive_ptr<c10d::Store> connect_store(const JobRank& job, bool listens,
                                              std::chrono::milliseconds timeout) {
  c10d::TCPStoreOptions options;
  options.port = static_cast<std::uint16_t>(job.port);
  options.isServer = listens && job.rank == 0 && !job.has_agent_store;
  options.waitWorkers = false;
  options.timeout = timeout;
  auto store = c10::make_intrusive<c10d::TCPStore>(job.host, options);
  return c10::make_intrusive<c10d::PrefixStore>(job.store_prefix + "/contra4", store);
}

std::string store_address(const JobRank& job) {
  return fmt::format("{}:{}", job.host, job.port);
}

std::string first_line(const std::exception& error) {
  const auto* torch_error = dynamic_cast<const c10::Error*>(&error);
  const std::string text = torch_error ? torch_error->what_without_backtrace() : error.what();
  return text.substr(0, text.find('\n'));
}

}  // namespace contra4::train
