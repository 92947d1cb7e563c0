#include "contra4/clients/exec_process.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <ctime>
#include <system_error>
#include <utility>

#include <fmt/format.h>

#include "contra4/base/error.h"
#include "contra4/clients/chat_protocol.h"

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
  std::array<char, 65536> block{};
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

  child_ = std::make_unique<ChildProcess>(ChildCommand{.program = "/bin/sh",
                                                       .arguments = {"-c", command},
                                                       .variables = {},
                                                       .input = input.read,
                                                       .output = output.write,
                                                       .error = error.write});
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

void ExecProcess::terminate(std::chrono::milliseconds grace) {
  child_->terminate(grace);
  read_error();
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
