// A program of others, started in a process group of its own with the signals of a fresh process.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace contra4::clients {

struct ChildCommand {
  std::filesystem::path program;       // a path: PATH is not searched, see find_program()
  std::vector<std::string> arguments;  // after the program's name
  // Set beside, or instead of, those of this process.
  std::vector<std::pair<std::string, std::string>> variables;
  // Descriptors of ours that become its standard streams; -1: /dev/null.
  int input = -1;
  int output = -1;
  int error = -1;
};

class ChildProcess {
 public:
  // Throws kUnavailable.
  explicit ChildProcess(const ChildCommand& command);
  // Kills the group if it is still there.
  ~ChildProcess();
  ChildProcess(const ChildProcess&) = delete;
  ChildProcess& operator=(const ChildProcess&) = delete;

  // Number of the process and of its group; -1 after terminate().
  pid_t id() const { return pid_; }
  // Whether the program itself has ended; its children may go on. From any thread, though not while
  // another one is in terminate().
  bool has_exited() const;
  // Returns when the program has ended, at the latest after `patience`.
  void wait_for_exit(std::chrono::milliseconds patience) const;
  void signal_group(int signal) const;
  // Signals the whole group, and waits up to `grace` before it kills. Then the status is known.
  void terminate(std::chrono::milliseconds grace);

  // "exit status 3", "killed by signal 9 (Killed)"; after terminate().
  std::string how_it_ended() const;
  // -1 for a signal; after terminate().
  int exit_status() const;

 private:
  pid_t pid_ = -1;  // -1 once reaped
  int wait_status_ = 0;
};

// Ends a process group when this process is gone, however it went: a small shell that waits for the
// end of a pipe whose other end is ours.
class GroupWatcher {
 public:
  // SIGTERM, and SIGKILL `grace` later for what is left. Throws kUnavailable.
  GroupWatcher(pid_t group, std::chrono::seconds grace);
  // The watcher ends and the group is left alone: it is over, or its owner sees to it.
  ~GroupWatcher();
  GroupWatcher(const GroupWatcher&) = delete;
  GroupWatcher& operator=(const GroupWatcher&) = delete;

 private:
  std::unique_ptr<ChildProcess> watcher_;
  int pipe_ = -1;
};

// The first executable file of that name in the folders of `path_list` ("/usr/bin:/bin"), or `name`
// itself where it has a slash; empty when there is none.
std::filesystem::path find_program(std::string_view name, std::string_view path_list);

}  // namespace contra4::clients
