// The family exec/COMMAND: a program of the user's, asked over its standard input and output in the
// lines of exec_protocol.h.
//
// The command runs under /bin/sh -c, once per worker. It is to flush every line, and to keep words
// for people to standard error; the last of them are told when it dies. At the end its standard
// input is closed, and it has `shutdown_grace` to go.
#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <stop_token>
#include <string>

#include "contra4/inference/answerer.h"
#include "contra4/media/request_media.h"

namespace contra4::clients {

struct ExecOptions {
  int num_workers = 1;               // processes side by side
  int max_in_flight_per_worker = 1;  // requests a program is given before it has answered
  // Of one request; then its program is killed and the item has failed.
  std::chrono::milliseconds timeout{300'000};
  // Of the first request of a process, in which it loads its model.
  std::chrono::milliseconds first_timeout{1'800'000};
  int max_tries = 2;  // of a request whose program died over it
  // Deaths, time-outs and lines that are no answer, without an answer between, after which the run
  // ends: the program is broken.
  int max_failures_in_a_row = 10;
  std::chrono::milliseconds shutdown_grace{2'000};
  std::size_t max_line_bytes = 16U << 20;
  // Processes outlive a run that ended well and serve the next one: for who asks in several runs,
  // as verify does, so that a program loads its model once.
  bool keeps_running = false;
  // Pictures of 3D objects and videos are made and named in requests; it has a cache folder. Null:
  // none are.
  std::shared_ptr<const media::RequestMedia> pictures = nullptr;

  // Throws kInvalidArgument naming the option.
  void validate() const;
};

class ExecAnswerer final : public Answerer {
 public:
  // Throws kInvalidArgument for an empty command or options out of range. Starts nothing yet.
  ExecAnswerer(std::string command, const ExecOptions& options);
  ~ExecAnswerer() override;  // ends what keeps running, as a run does
  ExecAnswerer(const ExecAnswerer&) = delete;
  ExecAnswerer& operator=(const ExecAnswerer&) = delete;

  // A line that is no answer, a wrong ticket, a time-out and a death fail the item concerned (the
  // one asked first, of several); the others in flight are asked again. Throws kNotFound when the
  // shell does not find the command, kUnavailable when the program only ever fails. Every process
  // has ended, with its whole group, before it returns or throws, unless it keeps running.
  void run(const QuestionSource& source, const AnswerSink& sink, std::stop_token stop) override;
  InputNeed input_need() const override { return InputNeed::kEither; }
  std::string description_json() const override;

 private:
  struct Workers;
  std::string command_;
  ExecOptions options_;
  std::unique_ptr<Workers> workers_;
};

}  // namespace contra4::clients
