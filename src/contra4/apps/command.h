// The frame of the command line: what a subcommand is given and how it is listed.
//
// A subcommand is its own pair of files in apps/commands/: an options struct, an add_x_command()
// that declares the flags on CLI11 and returns what runs them. apps/program.cpp lists them all.
#pragma once

#include <functional>
#include <iosfwd>
#include <stop_token>
#include <string>
#include <vector>

#include "contra4/apps/environment.h"

namespace CLI {
class App;
}

namespace contra4::apps {

// Exit codes of CLI.md.
inline constexpr int kExitDone = 0;
inline constexpr int kExitFailed = 1;
inline constexpr int kExitUsage = 2;
inline constexpr int kExitSomeFailed = 3;

struct Context {
  std::ostream& out;  // results
  std::ostream& err;  // words and progress
  bool out_is_terminal = false;
  bool err_is_terminal = false;
  bool use_color = false;  // err is a terminal and NO_COLOR is not set
  Environment environment;
  std::stop_token stop;  // Ctrl-C, SIGTERM
};

using RunCommand = std::function<int(Context&)>;

// A subcommand as declared: `app` was made below the root (or below a noun such as `dataset`).
struct Command {
  CLI::App* app = nullptr;
  RunCommand run;
};

// Declares one or several subcommands. Flags are declared with hyphens; underscores typed by a user
// are turned into hyphens before parsing. Every command gets --config, --verbose and --quiet.
using AddCommands = std::vector<Command> (*)(CLI::App& root);

// A mistake in how the command was called: exit 2, the message and a hint at --help.
class UsageError : public std::exception {
 public:
  explicit UsageError(std::string message) : message_(std::move(message)) {}
  const char* what() const noexcept override { return message_.c_str(); }

 private:
  std::string message_;
};

}  // namespace contra4::apps
