// The program as a process: signals, pipes, exit codes.
#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "contra4/io/file.h"
#include "tests/support/loopback_server.h"
#include "tests/support/test_env.h"

extern char** environ;  // NOLINT(*-redundant-declaration)

namespace contra4::apps {
namespace {

using contra4::testing::answer_as_model_server;
using contra4::testing::LoopbackReply;
using contra4::testing::LoopbackRequest;
using contra4::testing::LoopbackServer;
using contra4::testing::mini_dir;
using contra4::testing::TempDir;
using ::testing::HasSubstr;
using Clock = std::chrono::steady_clock;

pid_t start(const std::string& shell_command) {
  const std::array<std::string, 3> words = {"sh", "-c", "exec " + shell_command};
  std::array<char*, 4> argv = {const_cast<char*>(words[0].c_str()),
                               const_cast<char*>(words[1].c_str()),
                               const_cast<char*>(words[2].c_str()), nullptr};
  pid_t pid = -1;
  EXPECT_EQ(::posix_spawn(&pid, "/bin/sh", nullptr, nullptr, argv.data(), environ), 0);
  return pid;
}

int wait_for(pid_t pid) {
  int status = 0;
  EXPECT_EQ(::waitpid(pid, &status, 0), pid);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

int run_shell(const std::string& command) {
  return wait_for(start("sh -c \"" + command + "\""));
}

const std::string kProgram = CONTRA4_PROGRAM;

std::string mini(const std::string& name) {
  return (mini_dir() / name).string();
}

TEST(Process, HeadEndsItQuietly) {
  const TempDir folder;
  const auto err = (folder / "err").string();
  const auto wrong = folder / "wrong.jsonl";
  std::ofstream lines(wrong);
  for (int i = 0; i < 20'000; ++i) lines << "not json\n";
  lines.close();
  const auto start_time = Clock::now();
  EXPECT_EQ(run_shell(kProgram + " dataset check --quiet " + wrong.string() + " 2>" + err +
                      " | head -n 1 >/dev/null"),
            0);
  EXPECT_LT(Clock::now() - start_time, std::chrono::seconds(10));
  EXPECT_EQ(io::read_file(err), "");
}

TEST(Process, AFullDiskIsAFailure) {
  const TempDir folder;
  const auto err = (folder / "err").string();
  EXPECT_EQ(run_shell(kProgram + " --help >/dev/full 2>" + err), 1);
  EXPECT_THAT(io::read_file(err), HasSubstr("standard output"));
}

TEST(Process, ClosedDescriptorsAreNoTrouble) {
  EXPECT_EQ(run_shell(kProgram + " --help <&- >&- 2>&-"), 0);
}

TEST(Process, ExitCodesReachTheShell) {
  EXPECT_EQ(run_shell(kProgram + " --version >/dev/null"), 0);
  EXPECT_EQ(run_shell(kProgram + " nonsense 2>/dev/null"), 2);
  EXPECT_EQ(run_shell(kProgram + " dataset check /nowhere.json 2>/dev/null"), 1);
}

TEST(Process, CtrlCStopsAServerRunWithinTwoSecondsAndItResumes) {
  LoopbackServer server([](const LoopbackRequest& request) {
    LoopbackReply reply = answer_as_model_server(request);
    reply.delay = std::chrono::milliseconds(200);
    return reply;
  });
  const TempDir folder;
  const auto command = kProgram + " evaluate --dataset " + mini("test.json") +
                       " --model openai/x --base-url " + server.base_url() +
                       " --input oracle-captions --concurrency 2 --max-concurrency 2 --output " +
                       (folder / "run").string() + " >/dev/null 2>" + (folder / "err").string();
  const pid_t pid = start(command);
  while (server.num_requests() < 6) std::this_thread::sleep_for(std::chrono::milliseconds(20));
  ::kill(pid, SIGINT);
  const auto asked = Clock::now();
  EXPECT_EQ(wait_for(pid), 1);
  EXPECT_LT(Clock::now() - asked, std::chrono::seconds(2));
  EXPECT_THAT(io::read_file(folder / "err"), HasSubstr("interrupted"));
  const auto before = server.num_requests();
  server.set_handler(answer_as_model_server);
  EXPECT_EQ(wait_for(start(command)), 0);
  EXPECT_LT(server.num_requests() - before, 32U);
}

TEST(Process, CtrlCStopsASlowProgramWithinTwoSeconds) {
  const TempDir folder;
  const auto script = folder / "slow.py";
  std::ofstream(script) << "import json, sys, time\n"
                           "for line in sys.stdin:\n"
                           "    open(sys.argv[1], 'a').write('x')\n"
                           "    time.sleep(60)\n";
  const auto mark = folder / "mark";
  const pid_t pid = start(kProgram + " evaluate --dataset " + mini("test.json") +
                          " --model 'exec/" CONTRA4_PYTHON " " + script.string() + " " +
                          mark.string() + "' --input oracle-captions --output " +
                          (folder / "run").string() + " >/dev/null 2>/dev/null");
  while (!std::filesystem::exists(mark)) std::this_thread::sleep_for(std::chrono::milliseconds(20));
  ::kill(pid, SIGTERM);
  const auto asked = Clock::now();
  EXPECT_EQ(wait_for(pid), 1);
  EXPECT_LT(Clock::now() - asked, std::chrono::milliseconds(3000));
}

TEST(Process, ASecondCtrlCEndsItAtOnce) {
  LoopbackServer server([](const LoopbackRequest& request) {
    LoopbackReply reply = answer_as_model_server(request);
    reply.delay = std::chrono::seconds(30);
    return reply;
  });
  const TempDir folder;
  const pid_t pid = start(kProgram + " evaluate --dataset " + mini("test.json") +
                          " --model openai/x --base-url " + server.base_url() +
                          " --input oracle-captions --output " + (folder / "run").string() +
                          " >/dev/null 2>/dev/null");
  while (server.num_requests() == 0) std::this_thread::sleep_for(std::chrono::milliseconds(20));
  // Held meanwhile, so that it cannot end between the two.
  ::kill(pid, SIGSTOP);
  ::kill(pid, SIGINT);
  ::kill(pid, SIGTERM);  // two of one kind would be one while pending
  ::kill(pid, SIGCONT);
  const int code = wait_for(pid);
  EXPECT_TRUE(code == 130 || code == 1) << code;  // 1 where the first had ended it already
}

}  // namespace
}  // namespace contra4::apps
