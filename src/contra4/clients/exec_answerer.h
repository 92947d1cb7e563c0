// A program of the user's as a model: JSON lines over its standard input and output.
//
// The command runs under /bin/sh -c, once per worker, and is given one request a line:
//   {"ticket": 17, "id": "random_371627", "question": "Which scene is louder?",
//    "scenes": [{"name": "Scene A", "letter": "A", "modality": "audio", "source": "clotho",
//                "id": "rain.wav", "caption": "Rain falls.", "media": "/data/rain.wav"}, ...],
//    "seed": 1234}
// `caption` and `media` are there when --input shows them; ids keep their JSON type. It answers
// with one line per request, flushed, in any order:
//   {"ticket": 17, "answer": "Scene B"}
// `ticket` may be left out by a program that answers in the order asked. Also read: "choice" ("B"
// or 1, the place from 0; decides instead of the text), "scores" (one number per scene), "error"
// (text: the item failed). Standard error is passed on in messages: its last lines are told when
// the program dies. At the end standard input is closed and the program has `shutdown_grace` to go.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "contra4/base/error.h"
#include "contra4/inference/answerer.h"

namespace contra4::clients {

struct ExecOptions {
  int num_workers = 1;                         // processes side by side
  int max_in_flight_per_worker = 1;            // requests a program is given before it has answered
  std::chrono::milliseconds timeout{300'000};  // of one request; then its program is killed
  // Of the first request of a process, in which it loads its model.
  std::chrono::milliseconds first_timeout{1'800'000};
  int max_tries = 2;  // of a request whose program died over it
  // Deaths in a row, without an answer between, after which the run ends: the program is broken.
  int max_deaths_in_a_row = 5;
  std::chrono::milliseconds shutdown_grace{2'000};
  std::size_t max_line_bytes = 16U << 20;
};

// One request line, without its line break.
std::string exec_request_line(const Question& question);

// What a line says. `ticket` and `has_ticket` come apart, for answers in order.
struct ExecReply {
  bool has_ticket = false;
  std::uint64_t ticket = 0;
  std::string text;
  std::optional<std::string> choice_letter;
  std::optional<std::int64_t> choice_place;
  std::vector<double> scores;
  std::string error;  // not empty: the program says that it failed
};
// kDataLoss for a line that is no JSON object with one of "answer", "choice", "scores", "error".
Result<ExecReply> parse_exec_reply(std::string_view line);

class ExecAnswerer final : public Answerer {
 public:
  // Throws kInvalidArgument for an empty command or options out of range. Starts nothing yet.
  ExecAnswerer(std::string command, const ExecOptions& options);

  // Garbage, a wrong ticket, a time-out and a death fail the items concerned; throws kUnavailable
  // when the program only ever dies. Ends every process it started, with its whole group, before it
  // returns or throws.
  void run(const QuestionSource& source, const AnswerSink& sink, std::stop_token stop) override;
  InputNeed input_need() const override { return InputNeed::kEither; }
  std::string description_json() const override;

 private:
  std::string command_;
  ExecOptions options_;
};

}  // namespace contra4::clients
