#include "contra4/clients/exec_process.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <ctime>
#include <system_error>
#include <thread>
#include <utility>

#include <fmt/format.h>

#include "contra4/base/error.h"
#include "contra4/clients/chat_protocol.h"

extern char** environ;

namespace contra4::clients {

namespace {

constexpr std::size_t kKeptErrorBytes = 4096;

void close_descriptor(int& descriptor) {
  if (descriptor >= 0) ::close(descriptor);
  descriptor = -1;
}

struct Pipe {
  int read = -1;
  int write = -1;

  Pipe() {
    std::array<int, 2> ends{};
    if (::pipe2(ends.data(), O_CLOEXEC) != 0) {
      throw Exception(ErrorCode::kUnavailable, fmt::format("[exec] no pipe for the program: {}",
                                                           std::generic_category().message(errno)));
    }
    read = ends[0];
    write = ends[1];
  }
  ~Pipe() {
    close_descriptor(read);
    close_descriptor(write);
  }
  Pipe(const Pipe&) = delete;
  Pipe& operator=(const Pipe&) = delete;
};

int take_nonblocking(int& descriptor) {
  const int taken = std::exchange(descriptor, -1);
  ::fcntl(taken, F_SETFL, ::fcntl(taken, F_GETFL) | O_NONBLOCK);
  return taken;
}

sigset_t only_sigpipe() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGPIPE);
  return set;
}

// Reads into `out` what is there, at most `max_bytes`. False at the end of the stream.
bool read_available(int descriptor, std::string& out, std::size_t max_bytes) {
  std::array<char, 65536> block;
  for (std::size_t total = 0; total < max_bytes;) {
    const std::size_t wanted = std::min(block.size(), max_bytes - total);
    const ssize_t count = ::read(descriptor, block.data(), wanted);
    if (count > 0) {
      out.append(block.data(), static_cast<std::size_t>(count));
      total += static_cast<std::size_t>(count);
    } else if (count < 0 && errno == EINTR) {
      continue;
    } else {
      return count < 0 && (errno == EAGAIN || errno == EWOULDBLOCK);
    }
  }
  return true;
}

}  // namespace

SigpipeGuard::SigpipeGuard() {
  const sigset_t sigpipe = only_sigpipe();
  sigset_t pending;
  sigpending(&pending);
  was_pending_ = sigismember(&pending, SIGPIPE) == 1;
  sigset_t before;
  pthread_sigmask(SIG_BLOCK, &sigpipe, &before);
  was_blocked_ = sigismember(&before, SIGPIPE) == 1;
}

SigpipeGuard::~SigpipeGuard() {
  const sigset_t sigpipe = only_sigpipe();
  if (!was_pending_) {
    const timespec no_wait{};
    while (sigtimedwait(&sigpipe, nullptr, &no_wait) < 0 && errno == EINTR) {
    }
  }
  if (!was_blocked_) pthread_sigmask(SIG_UNBLOCK, &sigpipe, nullptr);
}

ExecProcess::ExecProcess(const std::string& command) {
  Pipe input;
  Pipe output;
  Pipe error;

  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, input.read, STDIN_FILENO);
  posix_spawn_file_actions_adddup2(&actions, output.write, STDOUT_FILENO);
  posix_spawn_file_actions_adddup2(&actions, error.write, STDERR_FILENO);

  // Signals as in a fresh process, whatever this one ignores or blocks.
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  sigset_t none;
  sigemptyset(&none);
  sigset_t defaults;
  sigemptyset(&defaults);
  for (const int signal : {SIGPIPE, SIGINT, SIGTERM, SIGHUP, SIGQUIT}) sigaddset(&defaults, signal);
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawnattr_setsigdefault(&attributes, &defaults);
  posix_spawnattr_setpgroup(&attributes, 0);
  posix_spawnattr_setflags(&attributes,
                           POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);

  std::string shell = "sh";
  std::string flag = "-c";
  std::string script = command;
  const std::array<char*, 4> arguments = {shell.data(), flag.data(), script.data(), nullptr};
  const int failure =
      ::posix_spawn(&pid_, "/bin/sh", &actions, &attributes, arguments.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  posix_spawnattr_destroy(&attributes);
  if (failure != 0) {
    pid_ = -1;
    throw Exception(ErrorCode::kUnavailable, fmt::format("[exec] cannot start /bin/sh: {}",
                                                         std::generic_category().message(failure)));
  }
  input_ = take_nonblocking(input.write);
  output_ = take_nonblocking(output.read);
  error_ = take_nonblocking(error.read);
}

ExecProcess::~ExecProcess() {
  terminate(std::chrono::milliseconds(0));
  close_descriptor(input_);
  close_descriptor(output_);
  close_descriptor(error_);
}

std::size_t ExecProcess::write(std::string_view bytes) {
  std::size_t written = 0;
  while (input_ >= 0 && written < bytes.size()) {
    const ssize_t count = ::write(input_, bytes.data() + written, bytes.size() - written);
    if (count > 0) {
      written += static_cast<std::size_t>(count);
    } else if (count < 0 && errno == EINTR) {
      continue;
    } else {
      if (count < 0 && errno != EAGAIN && errno != EWOULDBLOCK) close_descriptor(input_);
      break;
    }
  }
  return written;
}

bool ExecProcess::read_output(std::string& out, std::size_t max_bytes) {
  if (output_ < 0) return false;
  if (read_available(output_, out, max_bytes)) return true;
  close_descriptor(output_);
  return false;
}

void ExecProcess::read_error() {
  constexpr std::size_t kMaxAtOnce = 1 << 20;  // a program that never stops must not keep us
  if (error_ < 0) return;
  if (!read_available(error_, error_tail_, kMaxAtOnce)) close_descriptor(error_);
  if (error_tail_.size() > kKeptErrorBytes) {
    error_tail_.erase(0, error_tail_.size() - kKeptErrorBytes);
  }
}

void ExecProcess::close_input() {
  close_descriptor(input_);
}

bool ExecProcess::has_exited() const {
  if (pid_ < 0) return true;
  siginfo_t info{};
  // The process stays a zombie, so that its group's number is not given to another.
  return ::waitid(P_PID, static_cast<id_t>(pid_), &info, WEXITED | WNOHANG | WNOWAIT) == 0 &&
         info.si_pid == pid_;
}

void ExecProcess::wait_for_exit(std::chrono::milliseconds patience) const {
  const auto end = std::chrono::steady_clock::now() + patience;
  while (!has_exited() && std::chrono::steady_clock::now() < end) {
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
}

void ExecProcess::kill_group(int signal) const {
  ::kill(-pid_, signal);
}

void ExecProcess::terminate(std::chrono::milliseconds grace) {
  if (pid_ < 0) return;
  if (grace.count() > 0 && !has_exited()) {
    kill_group(SIGTERM);
    wait_for_exit(grace);
  }
  kill_group(SIGKILL);  // children that the command left behind, too
  while (::waitpid(pid_, &wait_status_, 0) < 0 && errno == EINTR) {
  }
  pid_ = -1;
  read_error();
}

std::string ExecProcess::how_it_ended() const {
  if (WIFSIGNALED(wait_status_)) {
    const int signal = WTERMSIG(wait_status_);
    const char* name = ::sigdescr_np(signal);
    return fmt::format("killed by signal {} ({})", signal, name == nullptr ? "unknown" : name);
  }
  return fmt::format("exit status {}", WEXITSTATUS(wait_status_));
}

int ExecProcess::exit_status() const {
  return WIFEXITED(wait_status_) ? WEXITSTATUS(wait_status_) : -1;
}

std::string ExecProcess::last_words() const {
  constexpr std::size_t kMaxWords = 300;
  std::string_view tail = error_tail_;
  while (!tail.empty() && (tail.back() == '\n' || tail.back() == ' ')) tail.remove_suffix(1);
  if (tail.size() > kMaxWords) {
    tail.remove_prefix(tail.size() - kMaxWords);
    if (const std::size_t line = tail.find('\n'); line < tail.size() - 1)
      tail.remove_prefix(line + 1);
  }
  return shorten(tail, kMaxWords);
}

}  // namespace contra4::clients
