// Ctrl-C and SIGTERM as a stop token.
#pragma once

#include <atomic>
#include <stop_token>
#include <thread>

namespace contra4::apps {

// The first signal asks for a stop, the second ends the process at once. A broken pipe raises no
// signal while this lives: writing reports it. One at a time per process.
class StopOnSignal {
 public:
  StopOnSignal();
  ~StopOnSignal();
  StopOnSignal(const StopOnSignal&) = delete;
  StopOnSignal& operator=(const StopOnSignal&) = delete;

  std::stop_token token() const { return source_.get_token(); }
  // Whether the first signal was SIGTERM: a scheduler's, not a person's.
  bool was_terminated() const { return was_terminated_; }
  // As if a signal had come.
  void request_stop() { source_.request_stop(); }

 private:
  void watch();
  std::stop_source source_;
  std::atomic<bool> was_terminated_ = false;
  std::jthread watcher_;
};

}  // namespace contra4::apps
