#include "tests/train/processes.h"

#include <netinet/in.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <iostream>
#include <string>

#include <gtest/gtest.h>

#include <ATen/Parallel.h>

namespace contra4::testing {
namespace {

constexpr auto kRank = "CONTRA4_TEST_RANK";
constexpr auto kCount = "CONTRA4_TEST_COUNT";
constexpr auto kPort = "CONTRA4_TEST_PORT";

[[noreturn]] void run_as_rank(const char* rank, const std::function<void(const JobRank&)>& body) {
  JobRank job;
  job.rank = std::stoi(rank);
  job.count = std::stoi(std::getenv(kCount));  // NOLINT(concurrency-mt-unsafe): no threads yet
  job.port = std::stoi(std::getenv(kPort));    // NOLINT(concurrency-mt-unsafe)
  at::set_num_threads(1);
  int code = 1;
  try {
    body(job);
    code = ::testing::Test::HasFailure() ? 1 : 0;
  } catch (const std::exception& error) {
    std::cerr << "rank " << rank << ": " << error.what() << '\n';
  }
  std::cout.flush();
  std::_Exit(code);
}

pid_t start(int rank, int count, int port) {
  const auto* info = ::testing::UnitTest::GetInstance()->current_test_info();
  std::string filter =
      std::string("--gtest_filter=") + info->test_suite_name() + "." + info->name();
  std::vector<std::string> environment = {std::string(kRank) + "=" + std::to_string(rank),
                                          std::string(kCount) + "=" + std::to_string(count),
                                          std::string(kPort) + "=" + std::to_string(port),
                                          "OMP_NUM_THREADS=1", "TORCH_CPP_LOG_LEVEL=ERROR"};
  std::vector<char*> variables;
  for (std::string& variable : environment) variables.push_back(variable.data());
  for (char** variable = environ; *variable; ++variable) variables.push_back(*variable);
  variables.push_back(nullptr);
  std::string program = "/proc/self/exe";
  char* arguments[] = {program.data(), filter.data(), nullptr};
  pid_t pid = -1;
  EXPECT_EQ(posix_spawn(&pid, program.c_str(), nullptr, nullptr, arguments, variables.data()), 0);
  return pid;
}

}  // namespace

int find_free_port() {
  const int socket = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof(address);
  // NOLINTBEGIN(cppcoreguidelines-pro-type-reinterpret-cast): what the socket interface asks for
  EXPECT_EQ(::bind(socket, reinterpret_cast<sockaddr*>(&address), size), 0);
  EXPECT_EQ(::getsockname(socket, reinterpret_cast<sockaddr*>(&address), &size), 0);
  // NOLINTEND(cppcoreguidelines-pro-type-reinterpret-cast)
  ::close(socket);
  return ntohs(address.sin_port);
}

std::vector<ProcessEnd> run_processes(int count, const std::function<void(const JobRank&)>& body) {
  // NOLINTNEXTLINE(concurrency-mt-unsafe): before there are threads
  if (const char* rank = std::getenv(kRank)) run_as_rank(rank, body);
  const int port = find_free_port();
  std::map<pid_t, int> ranks;
  const auto begin = std::chrono::steady_clock::now();
  for (int rank = 0; rank < count; ++rank) ranks[start(rank, count, port)] = rank;
  std::vector<ProcessEnd> ends(count);
  while (!ranks.empty()) {
    int status = 0;
    const pid_t pid = ::wait(&status);
    if (pid < 0) break;
    const auto found = ranks.find(pid);
    if (found == ranks.end()) continue;
    ends[found->second] = {
        .exit_code = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status),
        .seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count()};
    ranks.erase(found);
  }
  return ends;
}

void expect_processes(int count, const std::function<void(const JobRank&)>& body) {
  const std::vector<ProcessEnd> ends = run_processes(count, body);
  for (int rank = 0; rank < count; ++rank)
    EXPECT_EQ(ends[rank].exit_code, 0) << "rank " << rank << " of " << count;
}

}  // namespace contra4::testing
