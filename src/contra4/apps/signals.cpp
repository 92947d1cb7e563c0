#include "contra4/apps/signals.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <string_view>
#include <system_error>

namespace contra4::apps {

namespace {

constexpr std::array kStopSignals = {SIGINT, SIGTERM, SIGHUP};
constexpr int kExitAtOnce = 130;

// The write end of the pipe to the watching thread. Only its descriptor is touched by the handler:
// asking a stop source for a stop is not safe inside a signal handler.
volatile std::sig_atomic_t g_pipe_write = -1;  // NOLINT(*-avoid-non-const-global-variables)
int g_pipe_read = -1;                          // NOLINT(*-avoid-non-const-global-variables)

void handle_stop(int signal) {
  const int saved = errno;
  const char byte = signal == SIGTERM ? 't' : 's';
  [[maybe_unused]] const auto written = ::write(g_pipe_write, &byte, 1);
  errno = saved;
}

// A handler instead of SIG_IGN: programs that we start get the default back.
void ignore(int /*signal*/) {}

void set_handler(int signal, void (*handler)(int)) {
  struct sigaction action {};
  action.sa_handler = handler;
  action.sa_flags = SA_RESTART;
  ::sigemptyset(&action.sa_mask);
  ::sigaction(signal, &action, nullptr);
}

// nohup and background shells start programs with these signals ignored: that is to stay so.
bool is_ignored(int signal) {
  struct sigaction action {};
  ::sigaction(signal, nullptr, &action);
  return action.sa_handler == SIG_IGN;
}

}  // namespace

StopOnSignal::StopOnSignal() {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) {
    throw std::system_error(errno, std::generic_category(), "pipe");
  }
  g_pipe_read = ends[0];
  g_pipe_write = ends[1];
  for (const int signal : kStopSignals) {
    if (!is_ignored(signal)) set_handler(signal, handle_stop);
  }
  set_handler(SIGPIPE, ignore);
  watcher_ = std::jthread([this] { watch(); });
}

StopOnSignal::~StopOnSignal() {
  for (const int signal : kStopSignals) {
    if (!is_ignored(signal)) set_handler(signal, SIG_DFL);
  }
  set_handler(SIGPIPE, SIG_DFL);
  const char end = 'e';
  [[maybe_unused]] const auto written = ::write(g_pipe_write, &end, 1);
  watcher_.join();
  ::close(g_pipe_read);
  ::close(g_pipe_write);
  g_pipe_read = -1;
  g_pipe_write = -1;
}

void StopOnSignal::watch() {
  char byte = 0;
  bool was_asked = false;
  while (true) {
    const auto count = ::read(g_pipe_read, &byte, 1);
    if (count < 0 && errno == EINTR) continue;
    if (count != 1 || byte == 'e') return;
    if (was_asked) ::_exit(kExitAtOnce);
    was_asked = true;
    was_terminated_ = byte == 't';
    constexpr std::string_view kWords =
        "\ncontra4: stopping; what is done is kept (once more: at once)\n";
    [[maybe_unused]] const auto written = ::write(STDERR_FILENO, kWords.data(), kWords.size());
    source_.request_stop();
  }
}

}  // namespace contra4::apps
