#include "contra4/clients/exec_process.h"

#include <poll.h>

#include <array>
#include <chrono>
#include <csignal>
#include <string>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace contra4::clients {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;
using ::testing::StartsWith;

constexpr std::size_t kMany = 1U << 20;

void wait_readable(int descriptor) {
  pollfd one{.fd = descriptor, .events = POLLIN, .revents = 0};
  ASSERT_EQ(::poll(&one, 1, 10'000), 1) << "nothing came in ten seconds";
}

// All of standard output, to its end.
std::string read_all(ExecProcess& process) {
  std::string out;
  while (process.output() != -1) {
    wait_readable(process.output());
    if (::testing::Test::HasFatalFailure() || !process.read_output(out, kMany)) break;
  }
  return out;
}

void read_all_errors(ExecProcess& process) {
  while (process.error() != -1) {
    wait_readable(process.error());
    if (::testing::Test::HasFatalFailure()) break;
    process.read_error();
  }
}

// A program may close its streams a moment before it ends.
void end(ExecProcess& process) {
  const auto latest = std::chrono::steady_clock::now() + 10s;
  while (!process.has_exited() && std::chrono::steady_clock::now() < latest) {
    std::this_thread::sleep_for(1ms);
  }
  EXPECT_TRUE(process.has_exited());
  process.terminate(0s);
}

TEST(ExecProcess, PassesBytesBothWaysAndEndsWithItsInput) {
  ExecProcess process("cat");
  EXPECT_EQ(process.write("one\ntwo\n"), 8U);
  process.close_input();
  EXPECT_EQ(process.input(), -1);
  EXPECT_EQ(read_all(process), "one\ntwo\n");
  end(process);
  EXPECT_EQ(process.exit_status(), 0);
}

TEST(ExecProcess, ReadsNoMoreThanAsked) {
  ExecProcess process("printf 123456789");
  std::string out;
  wait_readable(process.output());
  EXPECT_TRUE(process.read_output(out, 4));
  EXPECT_EQ(out, "1234");
  EXPECT_EQ(read_all(process), "56789");
}

TEST(ExecProcess, TellsHowItEndedAndItsLastWords) {
  ExecProcess process("echo first >&2; echo 'no such weights' >&2; exit 3");
  read_all_errors(process);
  end(process);
  EXPECT_TRUE(process.has_exited());
  EXPECT_EQ(process.exit_status(), 3);
  EXPECT_EQ(process.how_it_ended(), "exit status 3");
  EXPECT_THAT(process.last_words(), HasSubstr("no such weights"));
  EXPECT_EQ(process.last_words().find('\n'), std::string::npos);
}

TEST(ExecProcess, ACommandThatIsNotThereIsTheShells127) {
  ExecProcess process("contra4-no-such-command");
  read_all_errors(process);
  end(process);
  EXPECT_EQ(process.exit_status(), 127);
  EXPECT_THAT(process.last_words(), HasSubstr("contra4-no-such-command"));
}

TEST(ExecProcess, ASignalIsNamed) {
  ExecProcess process("kill -KILL $$");
  read_all(process);
  end(process);
  EXPECT_EQ(process.exit_status(), -1);
  EXPECT_THAT(process.how_it_ended(), StartsWith("killed by signal 9"));
}

TEST(ExecProcess, TerminateEndsChildrenThatDoNotListen) {
  ExecProcess process("trap '' TERM; sh -c \"trap '' TERM; echo here; sleep 600\"; true");
  std::string out;
  wait_readable(process.output());
  process.read_output(out, kMany);
  const auto begun = std::chrono::steady_clock::now();
  process.terminate(50ms);
  EXPECT_EQ(read_all(process), "") << "the child still holds the pipe";
  EXPECT_LT(std::chrono::steady_clock::now() - begun, 5s);
}

TEST(ExecProcess, WritingToOneThatIsGoneClosesTheInput) {
  const SigpipeGuard guard;
  ExecProcess process("exec true");
  read_all(process);
  end(process);
  EXPECT_EQ(process.write("words"), 0U);
  EXPECT_EQ(process.input(), -1);
}

TEST(SigpipeGuard, LeavesTheSignalAsItWas) {
  sigset_t before;
  ::pthread_sigmask(SIG_BLOCK, nullptr, &before);
  {
    const SigpipeGuard guard;
    ::raise(SIGPIPE);  // would end the process
  }
  sigset_t after;
  ::pthread_sigmask(SIG_BLOCK, nullptr, &after);
  EXPECT_EQ(sigismember(&before, SIGPIPE), sigismember(&after, SIGPIPE));
}

}  // namespace
}  // namespace contra4::clients
