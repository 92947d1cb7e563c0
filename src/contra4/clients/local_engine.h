// A model server that this program starts for itself, and ends: vLLM, llama.cpp, transformers. It
// speaks OpenAI's protocol on a free port of 127.0.0.1.
#pragma once

#include <chrono>
#include <filesystem>
#include <memory>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "contra4/base/error.h"
#include "contra4/clients/child_process.h"
#include "contra4/net/transport.h"

namespace contra4::clients {

enum class EngineKind { kVllm, kLlamaCpp, kTransformers };

// "vllm:MODEL", "llama.cpp:FILE", "transformers:MODEL".
struct EngineSpec {
  EngineKind kind = EngineKind::kVllm;
  std::string model;

  std::string text() const;
  // What the server calls the model: MODEL, or the name of FILE without its suffix.
  std::string served_name() const;
};

// Whether a text begins as an EngineSpec does, so that parse_engine_spec() has its say.
bool names_engine(std::string_view text);
// kInvalidArgument, with the nearest engine.
Result<EngineSpec> parse_engine_spec(std::string_view text);

// What the user adds to the server's command line: "CUDA_VISIBLE_DEVICES=1 --max-model-len 8192".
struct EngineArguments {
  std::vector<std::pair<std::string, std::string>> variables;  // NAME=VALUE words in front
  std::vector<std::string> words;
};
// Split as a shell does, with quotes and backslashes, and without anything else a shell does.
// kInvalidArgument for a quote without end.
Result<EngineArguments> parse_engine_arguments(std::string_view text);

struct LocalEngineOptions {
  EngineSpec spec;
  EngineArguments arguments;
  std::string path_list;      // PATH, where the server's program is looked for
  std::filesystem::path log;  // all the server says; replaced at the start
  std::chrono::milliseconds start_timeout{1'800'000};  // loading weights and compiling included
  // Between the signals that ask and force it to end; the second after an interruption.
  std::chrono::milliseconds stop_grace{15'000};
  std::chrono::milliseconds interrupted_grace{1'500};
};

class LocalEngine {
 public:
  // Reserves a port. Throws kUnavailable when there is none.
  explicit LocalEngine(LocalEngineOptions options);
  // Ends the server. So does the end of this process, of whatever kind.
  ~LocalEngine();
  LocalEngine(const LocalEngine&) = delete;
  LocalEngine& operator=(const LocalEngine&) = delete;

  // "http://127.0.0.1:PORT/v1": known before the server runs.
  const std::string& base_url() const { return base_url_; }
  const LocalEngineOptions& options() const { return options_; }

  // Starts the program. Throws kNotFound when it is not on PATH (says how to install it) or the
  // model's file is not there, kUnavailable when it cannot be started.
  void launch();
  bool was_launched() const { return process_ != nullptr; }
  // After launch(): returns when the server answers; false when a stop was asked for first. Throws
  // kUnavailable when the server ends before that, kDeadlineExceeded when it takes too long; the
  // message ends with the last lines of its log.
  bool wait_until_ready(net::Transport& transport, const std::stop_token& stop);
  // From any thread between launch() and stop().
  bool has_died() const { return process_ != nullptr && process_->has_exited(); }
  // After has_died(): how, with the last lines of the log. Reaps it.
  Error death();
  // Asks it to end, so that several end side by side before stop().
  void request_end() const;
  void stop(std::chrono::milliseconds grace);

 private:
  std::string last_lines() const;

  LocalEngineOptions options_;
  int port_ = 0;
  int reserved_ = -1;  // a bound socket until launch(), so that nobody else is given the port
  std::string base_url_;
  std::string command_text_;  // "vllm serve MODEL ..."
  std::unique_ptr<ChildProcess> process_;
  std::unique_ptr<GroupWatcher> watcher_;
};

// The last `max_lines` of a log, each cut, without colours and control characters; of a line that
// was redrawn (progress bars) what stood there last.
std::string last_lines_of(const std::filesystem::path& log, std::size_t max_lines);

}  // namespace contra4::clients
