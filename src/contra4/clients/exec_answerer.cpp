#include "contra4/clients/exec_answerer.h"

#include <poll.h>

#include <algorithm>
#include <cstdint>
#include <deque>
#include <exception>
#include <memory>
#include <optional>
#include <unordered_set>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "contra4/base/error.h"
#include "contra4/base/log.h"
#include "contra4/clients/exec_process.h"
#include "contra4/clients/exec_protocol.h"
#include "contra4/io/json_writer.h"

namespace contra4::clients {

namespace {

using SteadyClock = std::chrono::steady_clock;

constexpr std::chrono::milliseconds kLongestWait{50};  // until stops and silent deaths are noticed
constexpr std::chrono::milliseconds kStopGrace{300};

struct Request {
  Question question;
  std::vector<ScenePictures> pictures;  // one per scene, or none
  int tries = 0;                        // that ended in the program's death
  SteadyClock::time_point sent{};
};

struct Worker {
  std::unique_ptr<ExecProcess> process;  // null: not running
  std::string unsent;
  std::string received;                        // up to the next line break
  std::size_t scanned = 0;                     // of `received`, known to hold no line break
  std::deque<Request> in_flight;               // in the order asked
  std::unordered_set<std::uint64_t> given_up;  // tickets that failed and may still be answered
  SteadyClock::time_point last_sign{};         // of the last answer, or the start
  bool has_answered = false;
  bool uses_tickets = false;
};

void stop_all(std::vector<Worker>& workers) {
  for (Worker& worker : workers) {
    if (worker.process) worker.process->close_input();
  }
  const auto end = SteadyClock::now() + kStopGrace;
  for (Worker& worker : workers) {
    if (!worker.process) continue;
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(end - SteadyClock::now());
    worker.process->terminate(std::max(left, std::chrono::milliseconds(1)));
    worker.process.reset();
  }
}

// Every program sees the end of its input and may tidy up.
void shut_down(std::vector<Worker>& workers, std::chrono::milliseconds grace) {
  for (Worker& worker : workers) {
    if (worker.process) worker.process->close_input();
  }
  const auto end = SteadyClock::now() + grace;
  const auto is_running = [](const Worker& worker) {
    return worker.process && !worker.process->has_exited();
  };
  std::string ignored;
  while (std::any_of(workers.begin(), workers.end(), is_running) && SteadyClock::now() < end) {
    std::vector<pollfd> descriptors;
    for (Worker& worker : workers) {
      if (!worker.process) continue;
      worker.process->read_error();
      ignored.clear();
      worker.process->read_output(ignored, 1 << 20);
      if (worker.process->output() >= 0) {
        descriptors.push_back({worker.process->output(), POLLIN, 0});
      }
    }
    ::poll(descriptors.data(), static_cast<nfds_t>(descriptors.size()), 5);
  }
  stop_all(workers);
}

// A process of an earlier run that has gone, or has said something that nobody asked for since, is
// not asked again: without tickets its next line could answer the wrong question.
void drop_unfit(std::vector<Worker>& workers) {
  for (Worker& worker : workers) {
    if (!worker.process) continue;
    worker.process->read_error();
    const bool is_open = worker.process->read_output(worker.received, 1);
    if (is_open && worker.received.empty() && worker.unsent.empty() &&
        worker.process->input() >= 0 && !worker.process->has_exited()) {
      worker.scanned = 0;
      continue;
    }
    worker.process->terminate(kStopGrace);
    worker.process.reset();
  }
}

class Run {
 public:
  Run(const std::string& command, const ExecOptions& options, const QuestionSource& source,
      const AnswerSink& sink, std::vector<Worker>& workers)
      : command_(command), options_(options), source_(source), sink_(sink), workers_(workers) {}

  void run(const std::stop_token& stop) {
    drop_unfit(workers_);
    while (true) {
      if (stop.stop_requested()) return stop_all(workers_);
      for (Worker& worker : workers_) hand_out(worker);
      if (is_idle()) break;
      wait();
      for (Worker& worker : workers_) attend(worker);
    }
    if (!options_.keeps_running) shut_down(workers_, options_.shutdown_grace);
  }

 private:
  bool is_idle() const {
    return is_exhausted_ && retries_.empty() &&
           std::all_of(workers_.begin(), workers_.end(),
                       [](const Worker& worker) { return worker.in_flight.empty(); });
  }

  std::optional<Request> next_request() {
    if (!retries_.empty()) {
      Request request = std::move(retries_.front());
      retries_.pop_front();
      return request;
    }
    while (!is_exhausted_) {
      std::optional<Question> question = source_();
      if (!question) break;
      Request request;
      request.question = std::move(*question);
      auto pictures = pictures_of(request.question);
      if (pictures) {
        request.pictures = std::move(*pictures);
        return request;
      }
      request.sent = SteadyClock::now();
      Answer answer;
      answer.error = pictures.error();
      report(std::move(answer), request);
    }
    is_exhausted_ = true;
    return std::nullopt;
  }

  Result<std::vector<ScenePictures>> pictures_of(const Question& question) const {
    std::vector<ScenePictures> all;
    if (options_.pictures == nullptr) return all;
    for (const ShownScene& scene : question.scenes) {
      ScenePictures& shown = all.emplace_back();
      if (scene.media.empty()) continue;
      const auto parts = options_.pictures->picture_files(scene.media, scene.modality);
      if (!parts) return parts.error();
      for (const media::CachedPart& part : *parts) {
        shown.files.push_back(part.file.string());
        shown.words += part.words;
      }
    }
    return all;
  }

  void hand_out(Worker& worker) {
    const auto max_in_flight = static_cast<std::size_t>(options_.max_in_flight_per_worker);
    while (worker.in_flight.size() < max_in_flight) {
      std::optional<Request> request = next_request();
      if (!request) return;
      if (worker.process && (worker.process->input() < 0 || worker.process->has_exited())) {
        // A program may go after its answers; that is no failure.
        if (!worker.in_flight.empty()) {
          retries_.push_front(std::move(*request));
          return;
        }
        worker.process.reset();
      }
      if (!worker.process) start(worker);
      request->sent = SteadyClock::now();
      worker.unsent += exec_request_line(request->question, request->pictures);
      worker.unsent.push_back('\n');
      worker.in_flight.push_back(std::move(*request));
    }
  }

  void start(Worker& worker) {
    worker.process = std::make_unique<ExecProcess>(command_);
    worker.unsent.clear();
    worker.received.clear();
    worker.scanned = 0;
    worker.given_up.clear();
    worker.last_sign = SteadyClock::now();
    worker.has_answered = false;
    worker.uses_tickets = false;
  }

  // The oldest request's deadline.
  SteadyClock::time_point deadline(const Worker& worker) const {
    const auto since = std::max(worker.in_flight.front().sent, worker.last_sign);
    return since + (worker.has_answered ? options_.timeout : options_.first_timeout);
  }

  void wait() {
    std::vector<pollfd> descriptors;
    auto until = SteadyClock::now() + kLongestWait;
    for (const Worker& worker : workers_) {
      if (!worker.process) continue;
      const auto watch = [&](int descriptor, short events) {
        if (descriptor >= 0) descriptors.push_back({descriptor, events, 0});
      };
      watch(worker.process->output(), POLLIN);
      watch(worker.process->error(), POLLIN);
      if (!worker.unsent.empty()) watch(worker.process->input(), POLLOUT);
      if (!worker.in_flight.empty()) until = std::min(until, deadline(worker));
    }
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - SteadyClock::now());
    const int timeout = std::max(0, static_cast<int>(left.count()));
    ::poll(descriptors.data(), static_cast<nfds_t>(descriptors.size()), timeout);
  }

  void attend(Worker& worker) {
    if (!worker.process) return;
    ExecProcess& process = *worker.process;
    if (!worker.unsent.empty()) worker.unsent.erase(0, process.write(worker.unsent));
    process.read_error();
    // Before reading, so that nothing written before the death is lost.
    const bool has_exited = process.has_exited();
    const bool is_open = process.read_output(worker.received, 1 << 20);
    take_lines(worker);
    if (!worker.process) return;
    const bool is_deaf = process.input() < 0 && !worker.unsent.empty();
    if ((has_exited || !is_open) && worker.received.find('\n') == std::string::npos) {
      take_rest(worker);
      if (worker.process) died(worker);
    } else if (is_deaf) {
      died(worker);
    } else if (!worker.in_flight.empty() && SteadyClock::now() >= deadline(worker)) {
      timed_out(worker);
    }
  }

  void take_lines(Worker& worker) {
    while (worker.process) {
      const std::size_t end = worker.received.find('\n', worker.scanned);
      if (end == std::string::npos) {
        worker.scanned = worker.received.size();
        if (worker.received.size() > options_.max_line_bytes) {
          give_up_and_restart(worker,
                              {ErrorCode::kResourceExhausted,
                               fmt::format("[exec] the program wrote a line of more than {} bytes",
                                           options_.max_line_bytes)});
        }
        return;
      }
      const std::string line = worker.received.substr(0, end);
      worker.received.erase(0, end + 1);
      worker.scanned = 0;
      take_line(worker, line);
    }
  }

  // A last line may lack its break.
  void take_rest(Worker& worker) {
    if (worker.received.empty() || worker.in_flight.empty()) return;
    if (const Result<ExecReply> reply = parse_exec_reply(worker.received)) {
      const std::string line = std::exchange(worker.received, {});
      take_line(worker, line);
    }
  }

  void take_line(Worker& worker, const std::string& line) {
    if (line.find_first_not_of(" \t\r") == std::string::npos) return;
    Result<ExecReply> reply = parse_exec_reply(line);
    if (worker.in_flight.empty()) {
      log::warning("[exec] ignored a line that answers nothing");
      return;
    }
    if (!reply) return garbage(worker, reply.error());
    auto request = worker.in_flight.begin();
    if (reply->ticket) {
      worker.uses_tickets = true;
      request = std::find_if(worker.in_flight.begin(), worker.in_flight.end(),
                             [&](const Request& r) { return r.question.ticket == *reply->ticket; });
      if (request == worker.in_flight.end()) {
        if (worker.given_up.erase(*reply->ticket) > 0) return;  // too late
        return garbage(worker, {ErrorCode::kDataLoss,
                                fmt::format("[exec] the program answered ticket {}, which it was "
                                            "not asked",
                                            *reply->ticket)});
      }
    }
    worker.has_answered = true;
    worker.last_sign = SteadyClock::now();
    failures_in_a_row_ = 0;
    Answer answer = to_answer(request->question, std::move(*reply));
    answer.raw_reply = line;
    report(std::move(answer), *request);
    worker.in_flight.erase(request);
  }

  void report(Answer answer, const Request& request) {
    const std::chrono::duration<double> latency = SteadyClock::now() - request.sent;
    answer.ticket = request.question.ticket;
    answer.latency_s = latency.count();
    answer.tries = request.tries + 1;
    answer.endpoint = "exec";
    sink_(std::move(answer));
  }

  // The request that was asked first has failed.
  void give_up(Worker& worker, Error error) {
    if (worker.in_flight.empty()) return;
    const Request request = std::move(worker.in_flight.front());
    worker.in_flight.pop_front();
    worker.given_up.insert(request.question.ticket);
    worker.last_sign = SteadyClock::now();
    error.message += fmt::format(" (item '{}')", request.question.item_id);
    Answer answer;
    answer.error = std::move(error);
    report(std::move(answer), request);
  }

  // Without tickets nobody knows what the next line answers: such a program starts anew.
  void garbage(Worker& worker, const Error& error) {
    if (!worker.uses_tickets) return give_up_and_restart(worker, error);
    give_up(worker, error);
    count_failure(error.message);
  }

  void give_up_and_restart(Worker& worker, const Error& error) {
    give_up(worker, error);
    stop_process(worker);
    count_failure(error.message);
  }

  void timed_out(Worker& worker) {
    const auto limit = worker.has_answered ? options_.timeout : options_.first_timeout;
    give_up_and_restart(worker, {ErrorCode::kDeadlineExceeded,
                                 fmt::format("[exec] no answer within {} s; the program was killed",
                                             std::chrono::duration<double>(limit).count())});
  }

  // Ends the process; what it still owed is asked again.
  void stop_process(Worker& worker) {
    worker.process->terminate(std::chrono::milliseconds(0));
    worker.process.reset();
    while (!worker.in_flight.empty()) {
      retries_.push_front(std::move(worker.in_flight.back()));
      worker.in_flight.pop_back();
    }
  }

  void died(Worker& worker) {
    ExecProcess& process = *worker.process;
    process.read_error();
    // One that closed its pipes because it is about to end has its own status to tell.
    process.wait_for_exit(kStopGrace);
    process.terminate(kStopGrace);
    const std::string words = process.last_words();
    const std::string how = fmt::format("{}{}", process.how_it_ended(),
                                        words.empty() ? "" : "; its last words: " + words);
    const bool is_unknown = process.exit_status() == 126 || process.exit_status() == 127;
    if (is_unknown && !worker.has_answered) {
      throw Exception(ErrorCode::kNotFound,
                      fmt::format("[exec] the shell cannot run the command: {}", how));
    }
    if (worker.in_flight.empty()) {
      worker.process.reset();
      return;
    }
    Request& request = worker.in_flight.front();
    const std::string message =
        fmt::format("[exec] the program died over item '{}': {}", request.question.item_id, how);
    log::warning("{}", message);
    if (++request.tries >= options_.max_tries) {
      --request.tries;  // report() counts the one under way
      give_up(worker, {ErrorCode::kUnavailable, fmt::format("[exec] the program died: {}", how)});
    }
    stop_process(worker);
    count_failure(message);
  }

  void count_failure(const std::string& message) {
    if (++failures_in_a_row_ < options_.max_failures_in_a_row) return;
    throw Exception(
        ErrorCode::kUnavailable,
        fmt::format("{}; that was failure {} in a row, the run ends", message, failures_in_a_row_));
  }

  const std::string& command_;
  const ExecOptions& options_;
  const QuestionSource& source_;
  const AnswerSink& sink_;
  std::vector<Worker>& workers_;
  std::deque<Request> retries_;
  bool is_exhausted_ = false;
  int failures_in_a_row_ = 0;
};

void require(bool condition, std::string_view option, std::string_view wanted) {
  if (condition) return;
  throw Exception(ErrorCode::kInvalidArgument, fmt::format("[exec] {} must be {}", option, wanted));
}

}  // namespace

void ExecOptions::validate() const {
  require(num_workers >= 1 && num_workers <= 1024, "the number of workers", "1 to 1024");
  require(max_in_flight_per_worker >= 1, "the number of requests in flight", "at least 1");
  require(timeout.count() > 0 && first_timeout.count() > 0, "the time-out", "above 0");
  require(max_tries >= 1, "the number of tries", "at least 1");
  require(max_failures_in_a_row >= 1, "the number of failures in a row", "at least 1");
  require(shutdown_grace.count() >= 0, "the time to shut down", "0 or more");
  require(max_line_bytes > 0, "the length of a line", "above 0");
}

struct ExecAnswerer::Workers {
  std::vector<Worker> all;
};

ExecAnswerer::ExecAnswerer(std::string command, const ExecOptions& options)
    : command_(std::move(command)), options_(options), workers_(std::make_unique<Workers>()) {
  require(command_.find_first_not_of(" \t\n") != std::string::npos, "the command", "given");
  require(command_.find('\0') == std::string::npos, "the command", "without null characters");
  options_.validate();
  workers_->all.resize(static_cast<std::size_t>(options_.num_workers));
}

ExecAnswerer::~ExecAnswerer() {
  const SigpipeGuard guard;
  try {
    shut_down(workers_->all, options_.shutdown_grace);
  } catch (const std::exception& error) {
    log::warning("[exec] while ending the program: {}", error.what());
  }
}

void ExecAnswerer::run(const QuestionSource& source, const AnswerSink& sink, std::stop_token stop) {
  const SigpipeGuard guard;
  try {
    Run(command_, options_, source, sink, workers_->all).run(stop);
  } catch (...) {
    for (Worker& worker : workers_->all) worker = {};  // ends its process
    throw;
  }
}

std::string ExecAnswerer::description_json() const {
  io::JsonWriter writer;
  return writer.begin_object().member("command", command_).end_object().take();
}

}  // namespace contra4::clients
