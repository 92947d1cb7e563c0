// The frame of the command line: what a subcommand is given and how it is listed.
//
// A subcommand is its own pair of files in apps/commands/: an options struct and an add_x_command()
// that declares the flags on CLI11 and returns what runs them. apps/program.cpp lists them all.
#pragma once

#include <exception>
#include <functional>
#include <iosfwd>
#include <set>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

#include "contra4/apps/environment.h"
#include "contra4/pipeline/stage.h"

namespace CLI {
class App;
}

namespace contra4::apps {

// Exit codes.
inline constexpr int kExitDone = 0;
inline constexpr int kExitFailed = 1;
inline constexpr int kExitUsage = 2;
inline constexpr int kExitSomeFailed = 3;  // done, but some items failed; they are listed

// What the process gives a command. The streams outlive it.
struct Context {
  std::ostream& out;  // results
  std::ostream& err;  // words and progress
  Environment environment;
  std::stop_token stop = {};                  // Ctrl-C, SIGTERM, a reader of `out` that went away
  std::function<bool()> was_terminated = {};  // whether SIGTERM asked for it; may be empty
  bool out_is_terminal = false;
  bool err_is_terminal = false;
  // Filled by run_program.
  bool quiet = false;                          // no progress, no closing words; errors still
  bool verbose = false;                        // debug events as well
  std::vector<std::string> command_line = {};  // as typed, without the program's name
  std::set<std::string> typed_flags = {};      // "base-url": by the user, not by --config
  // What a step does whose output was made with other settings; `contra4 pipeline` redoes it.
  pipeline::WhenChanged when_changed = pipeline::WhenChanged::kRefuse;

  // A colour on that stream: it is a terminal and NO_COLOR is not set.
  bool colors_out() const { return out_is_terminal && !environment("NO_COLOR"); }
  bool colors_err() const { return err_is_terminal && !environment("NO_COLOR"); }
};

using RunCommand = std::function<int(Context&)>;

// Declares the flags of one subcommand on an app of its own and returns what runs it. Flags are
// declared with hyphens; underscores typed by a user are turned into hyphens before parsing. Every
// command gets --config, --quiet, --verbose and --help besides.
using AddCommand = RunCommand (*)(CLI::App& app);

// A mistake in how the command was called: exit 2, the message and a hint at --help.
class UsageError : public std::exception {
 public:
  explicit UsageError(std::string message) : message_(std::move(message)) {}
  const char* what() const noexcept override { return message_.c_str(); }

 private:
  std::string message_;
};

}  // namespace contra4::apps
