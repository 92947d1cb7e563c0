#include "contra4/clients/child_process.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <system_error>
#include <thread>

#include <fmt/format.h>

#include "contra4/base/error.h"

extern char** environ;

namespace contra4::clients {

namespace {

namespace fs = std::filesystem;

void add_stream(posix_spawn_file_actions_t& actions, int ours, int theirs) {
  if (ours < 0) {
    posix_spawn_file_actions_addopen(&actions, theirs, "/dev/null", O_RDWR, 0);
  } else {
    posix_spawn_file_actions_adddup2(&actions, ours, theirs);
  }
}

std::vector<std::string> environment_with(
    const std::vector<std::pair<std::string, std::string>>& variables) {
  std::vector<std::string> entries;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string_view text = *entry;
    const bool is_replaced =
        std::any_of(variables.begin(), variables.end(), [&](const auto& variable) {
          return text.starts_with(variable.first) && text.substr(variable.first.size(), 1) == "=";
        });
    if (!is_replaced) entries.emplace_back(text);
  }
  for (const auto& [name, value] : variables) entries.push_back(fmt::format("{}={}", name, value));
  return entries;
}

// For functions that take a list of C strings with a null at the end.
std::vector<char*> pointers_to(std::vector<std::string>& texts) {
  std::vector<char*> pointers;
  for (std::string& text : texts) pointers.push_back(text.data());
  pointers.push_back(nullptr);
  return pointers;
}

}  // namespace

ChildProcess::ChildProcess(const ChildCommand& command) {
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  add_stream(actions, command.input, STDIN_FILENO);
  add_stream(actions, command.output, STDOUT_FILENO);
  add_stream(actions, command.error, STDERR_FILENO);

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

  std::vector<std::string> words = {command.program.filename().string()};
  words.insert(words.end(), command.arguments.begin(), command.arguments.end());
  const std::vector<char*> arguments = pointers_to(words);
  std::vector<std::string> entries = environment_with(command.variables);
  const std::vector<char*> environment = pointers_to(entries);
  const int failure = ::posix_spawn(&pid_, command.program.c_str(), &actions, &attributes,
                                    arguments.data(), environment.data());
  posix_spawn_file_actions_destroy(&actions);
  posix_spawnattr_destroy(&attributes);
  if (failure != 0) {
    pid_ = -1;
    throw Exception(ErrorCode::kUnavailable,
                    fmt::format("cannot start {}: {}", command.program.string(),
                                std::generic_category().message(failure)));
  }
}

ChildProcess::~ChildProcess() {
  terminate(std::chrono::milliseconds(0));
}

bool ChildProcess::has_exited() const {
  if (pid_ < 0) return true;
  siginfo_t info{};
  // The process stays a zombie, so that its group's number is not given to another.
  return ::waitid(P_PID, static_cast<id_t>(pid_), &info, WEXITED | WNOHANG | WNOWAIT) == 0 &&
         info.si_pid == pid_;
}

void ChildProcess::wait_for_exit(std::chrono::milliseconds patience) const {
  const auto end = std::chrono::steady_clock::now() + patience;
  while (!has_exited() && std::chrono::steady_clock::now() < end) {
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
}

void ChildProcess::signal_group(int signal) const {
  if (pid_ > 0) ::kill(-pid_, signal);
}

void ChildProcess::terminate(std::chrono::milliseconds grace) {
  if (pid_ < 0) return;
  if (grace.count() > 0 && !has_exited()) {
    signal_group(SIGTERM);
    wait_for_exit(grace);
  }
  signal_group(SIGKILL);  // children that the program left behind, too
  while (::waitpid(pid_, &wait_status_, 0) < 0 && errno == EINTR) {
  }
  pid_ = -1;
}

std::string ChildProcess::how_it_ended() const {
  if (WIFSIGNALED(wait_status_)) {
    const int signal = WTERMSIG(wait_status_);
    const char* name = ::sigdescr_np(signal);
    return fmt::format("killed by signal {} ({})", signal, name == nullptr ? "unknown" : name);
  }
  return fmt::format("exit status {}", WEXITSTATUS(wait_status_));
}

int ChildProcess::exit_status() const {
  return WIFEXITED(wait_status_) ? WEXITSTATUS(wait_status_) : -1;
}

namespace {

// $1 the group, $2 the seconds between the signals.
constexpr char kWatch[] = R"(
while read -r ignored; do :; done
kill -s TERM -- "-$1" 2>/dev/null || exit 0
while [ "$2" -gt 0 ] && kill -s 0 -- "-$1" 2>/dev/null; do sleep 1; set -- "$1" $(($2 - 1)); done
kill -s KILL -- "-$1" 2>/dev/null
)";

}  // namespace

GroupWatcher::GroupWatcher(pid_t group, std::chrono::seconds grace) {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) {
    throw Exception(ErrorCode::kUnavailable, fmt::format("no pipe for a watcher: {}",
                                                         std::generic_category().message(errno)));
  }
  pipe_ = ends[1];
  try {
    watcher_ = std::make_unique<ChildProcess>(
        ChildCommand{.program = "/bin/sh",
                     .arguments = {"-c", kWatch, "watcher", std::to_string(group),
                                   std::to_string(grace.count())},
                     .variables = {},
                     .input = ends[0]});
  } catch (...) {
    ::close(ends[0]);
    ::close(ends[1]);
    throw;
  }
  ::close(ends[0]);
}

GroupWatcher::~GroupWatcher() {
  watcher_.reset();  // killed before it can see the end of the pipe
  ::close(pipe_);
}

fs::path find_program(std::string_view name, std::string_view path_list) {
  const auto is_program = [](const fs::path& path) {
    std::error_code ignored;
    return fs::is_regular_file(path, ignored) && ::access(path.c_str(), X_OK) == 0;
  };
  if (name.find('/') != std::string_view::npos)
    return is_program(name) ? fs::path(name) : fs::path();
  while (!path_list.empty()) {
    const std::size_t colon = path_list.find(':');
    const std::string_view folder = path_list.substr(0, colon);
    path_list = colon == std::string_view::npos ? "" : path_list.substr(colon + 1);
    fs::path path = fs::path(folder.empty() ? "." : folder) / name;
    if (is_program(path)) return path;
  }
  return {};
}

}  // namespace contra4::clients
