// --engine: servers that are started for a command, and end with it, however it ends.
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "contra4/io/file.h"
#include "tests/apps/run_in_process.h"
#include "tests/clients/engine_stand_in.h"
#include "tests/support/test_env.h"

extern char** environ;  // NOLINT(*-redundant-declaration)

namespace contra4::apps {
namespace {

namespace fs = std::filesystem;
using clients::StandIn;
using contra4::testing::mini_dir;
using ::testing::HasSubstr;
using ::testing::Not;
using Clock = std::chrono::steady_clock;

class Engine : public ::testing::Test {
 protected:
  explicit Engine(const std::string& program = "vllm") : stand_in_(program) {}

  std::vector<std::string> arguments(const std::vector<std::string>& more) const {
    std::vector<std::string> arguments = {"evaluate",
                                          "--dataset",
                                          (mini_dir() / "test.json").string(),
                                          "--output",
                                          (stand_in_ / "run").string(),
                                          "--input",
                                          "oracle-captions",
                                          "--engine-log-dir",
                                          (stand_in_ / "logs").string()};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return arguments;
  }
  Outcome evaluate(const std::vector<std::string>& more) const {
    return run(arguments(more), {{"PATH", stand_in_.path_list()}});
  }
  std::size_t num_logs() const {
    std::size_t count = 0;
    if (!fs::exists(stand_in_ / "logs")) return 0;
    for (const auto& entry : fs::directory_iterator(stand_in_ / "logs")) {
      count += entry.is_regular_file() ? 1 : 0;
    }
    return count;
  }

  StandIn stand_in_;
};

TEST_F(Engine, AnswersAWholeEvaluationAndIsNotStartedForNothing) {
  const std::vector<std::string> flags = {"--engine", "vllm:some/model", "--engine-args",
                                          "--max-model-len 4096"};
  const auto first = evaluate(flags);
  EXPECT_EQ(first.code, kExitDone) << first.err;
  EXPECT_THAT(first.err, HasSubstr("32 of 32 requests answered"));
  EXPECT_THAT(first.out, HasSubstr("openai/some/model"));
  EXPECT_EQ(num_logs(), 1U);
  EXPECT_THAT(io::read_file(stand_in_ / "run" / "config.json"), Not(HasSubstr("127.0.0.1")));

  fs::remove_all(stand_in_ / "logs");
  const auto second = evaluate(flags);
  EXPECT_EQ(second.code, kExitDone) << second.err;
  EXPECT_THAT(second.err, HasSubstr("(32 by an earlier run)"));
  EXPECT_EQ(num_logs(), 0U);
}

TEST_F(Engine, MayStandWhereAModelDoes) {
  const auto outcome = evaluate({"--model", "vllm:x", "--limit", "2"});
  EXPECT_EQ(outcome.code, kExitDone) << outcome.err;
}

TEST_F(Engine, IsNotStartedByADryRun) {
  const auto outcome = evaluate({"--engine", "vllm:x", "--dry-run"});
  EXPECT_EQ(outcome.code, kExitDone) << outcome.err;
  EXPECT_EQ(num_logs(), 0U);
}

TEST_F(Engine, ThatFailsIsShownWithItsLog) {
  const auto outcome = evaluate({"--engine", "vllm:x", "--engine-args", "--mode broken"});
  EXPECT_EQ(outcome.code, kExitFailed);
  EXPECT_THAT(outcome.err, HasSubstr("CUDA out of memory"));
}

TEST_F(Engine, ThatIsNotInstalledIsToldWithHowTo) {
  const auto outcome = evaluate({"--engine", "transformers:x", "--limit", "1"});
  if (outcome.code == kExitDone) GTEST_SKIP() << "transformers is installed";
  EXPECT_EQ(outcome.code, kExitFailed);
  EXPECT_THAT(outcome.err, HasSubstr("transformers[serving]"));
}

TEST_F(Engine, ContradictionsAreWrongUsage) {
  const std::pair<std::vector<std::string>, const char*> cases[] = {
      {{"--engine", "vlm:x"}, "did you mean 'vllm'"},
      {{"--engine", "vllm:x", "--base-url", "http://a/v1"}, "contradict"},
      {{"--engine", "vllm:x", "--engine-args", "--a 'b"}, "quote"},
      {{"--engine", "vllm:x", "--model", "gemini/y"}, "family openai"},
      {{"--engine", "vllm:x", "--engine-args", "a", "--engine-args", "b"}, "2 times for 1 engine"},
      {{}, "--model is required"},
  };
  for (const auto& [flags, words] : cases) {
    const auto outcome = evaluate(flags);
    EXPECT_EQ(outcome.code, kExitUsage) << words;
    EXPECT_THAT(outcome.err, HasSubstr(words));
  }
}

// The program as a process of its own.
pid_t start(const std::vector<std::string>& arguments, const StandIn& stand_in) {
  std::vector<std::string> words = {CONTRA4_PROGRAM};
  words.insert(words.end(), arguments.begin(), arguments.end());
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  std::vector<std::string> variables = {"PATH=" + stand_in.path_list()};
  for (char** entry = environ; *entry != nullptr; ++entry) {
    if (!std::string(*entry).starts_with("PATH=")) variables.emplace_back(*entry);
  }
  std::vector<char*> envp;
  for (std::string& variable : variables) envp.push_back(variable.data());
  envp.push_back(nullptr);
  posix_spawn_file_actions_t quiet;
  posix_spawn_file_actions_init(&quiet);
  posix_spawn_file_actions_addopen(&quiet, STDERR_FILENO, (stand_in / "err").c_str(),
                                   O_WRONLY | O_CREAT | O_TRUNC, 0600);
  pid_t pid = -1;
  EXPECT_EQ(::posix_spawn(&pid, CONTRA4_PROGRAM, &quiet, nullptr, argv.data(), envp.data()), 0);
  posix_spawn_file_actions_destroy(&quiet);
  return pid;
}

// The process whose number the stand-in writes first to its log.
pid_t server_of(const fs::path& logs) {
  const auto latest = Clock::now() + std::chrono::seconds(60);
  while (Clock::now() < latest) {
    std::error_code absent;
    for (const auto& entry : fs::directory_iterator(logs, absent)) {
      std::ifstream log(entry.path());
      std::string word;
      pid_t pid = 0;
      std::string rest;
      if (log >> word >> pid && std::getline(log, rest) && word == "process") return pid;
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  ADD_FAILURE() << "no server";
  return -1;
}

bool ends(pid_t pid) {
  const auto latest = Clock::now() + std::chrono::seconds(60);
  while (Clock::now() < latest) {
    std::ifstream stat("/proc/" + std::to_string(pid) + "/stat");
    std::string number;
    std::string name;
    std::string state;
    if (!(stat >> number >> name >> state) || state == "Z" || state == "X") return true;
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  return false;
}

TEST_F(Engine, EndsWithCtrlCAlsoWhileItLoads) {
  const pid_t program =
      start(arguments({"--engine", "vllm:x", "--engine-args", "--mode never"}), stand_in_);
  const pid_t server = server_of(stand_in_ / "logs");
  const auto asked = Clock::now();
  ::kill(program, SIGINT);
  int status = 0;
  ASSERT_EQ(::waitpid(program, &status, 0), program);
  EXPECT_LT(Clock::now() - asked, std::chrono::seconds(10));
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 1) << status;
  EXPECT_TRUE(ends(server));
  EXPECT_THAT(io::read_file(stand_in_ / "err"), HasSubstr("interrupted"));
}

TEST_F(Engine, EndsWhenTheProgramIsKilled) {
  const pid_t program =
      start(arguments({"--engine", "vllm:x", "--engine-args", "--mode never"}), stand_in_);
  const pid_t server = server_of(stand_in_ / "logs");
  ::kill(program, SIGKILL);
  ASSERT_EQ(::waitpid(program, nullptr, 0), program);
  EXPECT_TRUE(ends(server));
}

}  // namespace
}  // namespace contra4::apps
