// One process of a user's command with pipes to all three of its streams, none of which blocks.
#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include "contra4/clients/child_process.h"

namespace contra4::clients {

// Blocks SIGPIPE on this thread while it lives, and swallows those that came: a write to a program
// that is gone is then an error like any other.
class SigpipeGuard {
 public:
  SigpipeGuard();
  ~SigpipeGuard();
  SigpipeGuard(const SigpipeGuard&) = delete;
  SigpipeGuard& operator=(const SigpipeGuard&) = delete;

 private:
  bool was_pending_ = false;
  bool was_blocked_ = false;
};

class ExecProcess {
 public:
  // Starts `command` under /bin/sh -c in a process group of its own. Throws kUnavailable.
  explicit ExecProcess(const std::string& command);
  // Kills the group if it is still there.
  ~ExecProcess();
  ExecProcess(const ExecProcess&) = delete;
  ExecProcess& operator=(const ExecProcess&) = delete;

  // For poll(); -1 once closed.
  int input() const { return input_; }
  int output() const { return output_; }
  int error() const { return error_; }

  // As many bytes as fit now; 0 also when the program no longer reads, which closes input().
  std::size_t write(std::string_view bytes);
  // Appends what is there to `out`, at most `max_bytes`; false once the stream has ended.
  bool read_output(std::string& out, std::size_t max_bytes);
  // Takes what is there and keeps its end.
  void read_error();
  void close_input();

  // Whether the command itself has ended; its children may go on.
  bool has_exited() const { return child_->has_exited(); }
  // Returns when the command has ended, at the latest after `patience`.
  void wait_for_exit(std::chrono::milliseconds patience) const { child_->wait_for_exit(patience); }
  // Signals the whole group, and waits up to `grace` before it kills. Then the status is known.
  void terminate(std::chrono::milliseconds grace);

  // "exit status 3", "killed by signal 9 (Killed)"; after terminate().
  std::string how_it_ended() const { return child_->how_it_ended(); }
  // Of the shell: 127 when there is no such command; -1 for a signal.
  int exit_status() const { return child_->exit_status(); }
  // Its last words on standard error, on one line; empty when it said nothing.
  std::string last_words() const;

 private:
  std::unique_ptr<ChildProcess> child_;
  int input_ = -1;
  int output_ = -1;
  int error_ = -1;
  std::string error_tail_;
};

}  // namespace contra4::clients
