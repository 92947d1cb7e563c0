#include "contra4/clients/child_process.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "contra4/io/file.h"
#include "tests/support/error_of.h"
#include "tests/support/test_env.h"

namespace contra4::clients {
namespace {

using namespace std::chrono_literals;
using testing::error_of;
using ::testing::HasSubstr;
using testing::TempDir;

ChildCommand shell(const std::string& script) {
  return {.program = "/bin/sh", .arguments = {"-c", script}, .variables = {}};
}

void end(ChildProcess& process) {
  process.wait_for_exit(10s);
  EXPECT_TRUE(process.has_exited());
  process.terminate(0s);
}

// No process of the group is left, other than ones that nobody has reaped yet.
bool is_gone(pid_t process) {
  std::ifstream stat("/proc/" + std::to_string(process) + "/stat");
  std::string pid;
  std::string name;
  std::string state;
  return !(stat >> pid >> name >> state) || state == "Z" || state == "X";
}

void wait_until_gone(pid_t process) {
  const auto latest = std::chrono::steady_clock::now() + 20s;
  while (!is_gone(process) && std::chrono::steady_clock::now() < latest) {
    std::this_thread::sleep_for(5ms);
  }
  EXPECT_TRUE(is_gone(process)) << process;
}

pid_t number_in(const std::filesystem::path& file) {
  const auto latest = std::chrono::steady_clock::now() + 20s;
  while (std::chrono::steady_clock::now() < latest) {
    std::ifstream stream(file);
    pid_t number = 0;
    std::string end_of_line;
    if (stream >> number && std::getline(stream, end_of_line) && !stream.eof()) return number;
    std::this_thread::sleep_for(5ms);
  }
  ADD_FAILURE() << file << " has no number";
  return 0;
}

TEST(ChildProcess, TellsHowItEnded) {
  ChildProcess process(shell("exit 7"));
  end(process);
  EXPECT_EQ(process.exit_status(), 7);
  EXPECT_EQ(process.how_it_ended(), "exit status 7");
  EXPECT_EQ(process.id(), -1);
}

TEST(ChildProcess, WritesToTheDescriptorItIsGivenAndSeesItsVariables) {
  const TempDir folder;
  const int file = ::open((folder / "out").c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
  ChildCommand command = shell("echo \"$NAME $0\"; echo words >&2; cat");
  command.variables = {{"NAME", "a b"}};
  command.output = file;
  command.error = file;
  ChildProcess process(command);
  ::close(file);
  end(process);
  EXPECT_EQ(process.exit_status(), 0);  // `cat` saw the end of /dev/null
  EXPECT_EQ(io::read_file(folder / "out"), "a b sh\nwords\n");
}

TEST(ChildProcess, AVariableOfOursIsReplaced) {
  const TempDir folder;
  const int file = ::open((folder / "out").c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
  ChildCommand command{
      .program = "/usr/bin/env", .arguments = {}, .variables = {{"PATH", "/nowhere"}}};
  command.output = file;
  ChildProcess process(command);
  ::close(file);
  end(process);
  const std::string variables = io::read_file(folder / "out");
  EXPECT_THAT(variables, HasSubstr("PATH=/nowhere\n"));
  EXPECT_EQ(variables.find("PATH=/usr"), std::string::npos);
}

TEST(ChildProcess, AProgramThatIsNotThereIsUnavailable) {
  const Error error =
      error_of([] { ChildProcess({.program = "/nowhere/x", .arguments = {}, .variables = {}}); });
  EXPECT_EQ(error.code, ErrorCode::kUnavailable);
  EXPECT_THAT(error.message, HasSubstr("/nowhere/x"));
}

TEST(ChildProcess, AsksBeforeItKills) {
  const TempDir folder;
  const std::string mark = (folder / "mark").string();
  ChildProcess process(shell("trap 'echo bye > " + mark + "; exit 0' TERM; echo $$ > " + mark +
                             "; while :; do sleep 0.01; done"));
  number_in(mark);
  process.terminate(20s);
  EXPECT_EQ(process.exit_status(), 0);
  EXPECT_EQ(io::read_file(mark), "bye\n");
}

// Starts a group, has it watched and dies without a word, as after kill -9.
pid_t group_of_a_process_that_was_killed(const TempDir& folder, const std::string& script) {
  const std::string pid_file = (folder / "pid").string();
  const pid_t owner = ::fork();
  if (owner == 0) {
    const ChildProcess process(shell("echo $$ > " + pid_file + "; " + script));
    const GroupWatcher watcher(process.id(), 1s);
    number_in(pid_file);
    ::raise(SIGKILL);
  }
  EXPECT_GT(owner, 0);
  EXPECT_EQ(::waitpid(owner, nullptr, 0), owner);
  return number_in(pid_file);
}

TEST(GroupWatcher, EndsTheGroupWhenItsOwnerIsGone) {
  const TempDir folder;
  wait_until_gone(group_of_a_process_that_was_killed(folder, "sleep 600; true"));
}

TEST(GroupWatcher, KillsAGroupThatDoesNotListen) {
  const TempDir folder;
  wait_until_gone(
      group_of_a_process_that_was_killed(folder, "trap '' TERM; while :; do sleep 0.01; done"));
}

TEST(GroupWatcher, LeavesTheGroupAloneWhenItIsReleased) {
  ChildProcess process(shell("sleep 600"));
  { const GroupWatcher watcher(process.id(), 0s); }
  EXPECT_FALSE(process.has_exited());
}

TEST(FindProgram, TakesTheFirstExecutableFileOnThePath) {
  const TempDir folder;
  std::filesystem::create_directories(folder / "a");
  std::filesystem::create_directories(folder / "b" / "tool");  // a folder is no program
  std::filesystem::create_directories(folder / "c");
  std::ofstream(folder / "a" / "tool") << "not executable";
  std::ofstream(folder / "c" / "tool") << "#!/bin/sh\n";
  std::filesystem::permissions(folder / "c" / "tool", std::filesystem::perms::owner_all);
  const std::string list = (folder / "a").string() + ":/nowhere::" + (folder / "b").string() + ":" +
                           (folder / "c").string();
  EXPECT_EQ(find_program("tool", list), folder / "c" / "tool");
  EXPECT_EQ(find_program("tool", (folder / "a").string()), "");
  EXPECT_EQ(find_program("tool", ""), "");
  EXPECT_EQ(find_program((folder / "c" / "tool").string(), ""), folder / "c" / "tool");
  EXPECT_EQ(find_program("/bin/sh", ""), "/bin/sh");
}

}  // namespace
}  // namespace contra4::clients
