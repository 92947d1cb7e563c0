#include "contra4/clients/request_engine.h"

#include <algorithm>
#include <chrono>
#include <ctime>
#include <deque>
#include <optional>
#include <unordered_map>
#include <utility>

#include <fmt/format.h>

#include "contra4/base/error.h"
#include "contra4/base/log.h"
#include "contra4/base/random.h"

namespace contra4::clients {

namespace {

using std::chrono::milliseconds;

// The stop token is looked at this often when nothing else happens.
constexpr milliseconds kLongestWait{100};
// Calls for one request that taught something about the endpoint instead of answering.
constexpr int kMaxLessons = 32;

std::size_t text_bytes(const GenerateRequest& request) {
  std::size_t total = 0;
  for (const Message& message : request.messages) {
    for (const ContentPart& part : message.parts) total += part.text.size();
  }
  return total;
}

// One request on its way: pulled from the source and not yet given to the sink.
struct Job {
  GenerateRequest request;
  std::size_t endpoint = 0;  // of the call in flight
  bool is_probe = false;
  Clock::TimePoint begun{};
  Clock::TimePoint due{};  // while it waits
  int calls = 0;
  int failures = 0;
  int rate_limits = 0;
  int lessons = 0;
};
using JobPtr = std::unique_ptr<Job>;

std::optional<milliseconds> wished_delay(const net::HttpResponse& response,
                                         const ReplyVerdict& verdict) {
  const auto header = retry_after(response, std::time(nullptr));
  return header ? header : verdict.retry_after;
}

}  // namespace

// All that lives from run to run, and the work of the run under way. Transport callbacks only note
// what ended: what follows is done outside of the transport, where source, sink and protocol may
// throw.
struct RequestEngine::State {
  State(const std::vector<std::string>& base_urls, const EngineOptions& engine_options,
        std::unique_ptr<ChatProtocol> chat_protocol, std::unique_ptr<net::Transport> http_transport,
        const Clock& steady_clock)
      : options(engine_options),
        clock(steady_clock),
        protocol(std::move(chat_protocol)),
        transport(std::move(http_transport)),
        pool(base_urls, engine_options.endpoint, engine_options.limiter, steady_clock),
        budget(engine_options.budget),
        random(engine_options.seed),
        is_probing(base_urls.size()) {
    options.validate();
  }

  void run(const GenerateSource& from, const GenerateSink& to, const std::stop_token& stop);
  void abandon();

  // Sending.
  void dispatch(const std::stop_token& stop);
  void send_waiting();
  bool send(JobPtr& job);
  bool start_call(JobPtr& job, std::size_t endpoint, bool is_probe);
  void report_unsupported(JobPtr job);
  void stop_for_budget();

  // Receiving.
  void settle(std::uint64_t call, Result<net::HttpResponse> result);
  void settle_reply(JobPtr job, net::HttpResponse response);
  void settle_error(JobPtr job, Error error);
  void settle_final(JobPtr job, ReplyVerdict verdict, std::string body);
  void retry_later(JobPtr job, Error error, bool is_rate_limit, std::optional<milliseconds> wish);
  void learn(JobPtr job);
  void note_endpoint(const Job& job, int status, const ReplyVerdict& verdict);
  void count_usage(const Job& job, const TokenUsage& usage, std::size_t reply_bytes);
  void check_outage() const;

  void report_failure(JobPtr job, OutcomeStatus status, Error error);
  std::size_t num_held() const { return flying.size() + waiting.size(); }
  int calls_in_flight() const { return static_cast<int>(flying.size()); }
  milliseconds next_wait() const;

  EngineOptions options;
  const Clock& clock;
  std::unique_ptr<ChatProtocol> protocol;
  std::unique_ptr<net::Transport> transport;
  EndpointPool pool;
  Budget budget;
  Random random;
  bool has_warned_of_estimate = false;
  std::vector<bool> is_probing;  // per endpoint

  // Of the run under way.
  struct Ended {
    std::uint64_t call;
    Result<net::HttpResponse> result;
  };
  const GenerateSource* source = nullptr;
  const GenerateSink* sink = nullptr;
  bool is_source_dry = false;
  bool is_budget_met = false;
  std::uint64_t next_call = 0;  // never reused, so that a call of an abandoned run finds no job
  std::unordered_map<std::uint64_t, JobPtr> flying;
  std::deque<JobPtr> waiting;  // for a delay, a probe or room
  std::vector<Ended> ended;
};

void RequestEngine::State::run(const GenerateSource& from, const GenerateSink& to,
                               const std::stop_token& stop) {
  source = &from;
  sink = &to;
  is_source_dry = false;
  is_budget_met = false;
  pool.forget_failures();
  while (!stop.stop_requested()) {
    dispatch(stop);
    if (num_held() == 0 && (is_source_dry || is_budget_met)) break;
    transport->poll(next_wait());
    // Calls may end while others are settled only in poll(), so the list does not grow meanwhile.
    for (Ended& one : ended) {
      if (stop.stop_requested()) return;
      settle(one.call, std::move(one.result));
    }
    ended.clear();
    check_outage();
  }
  if (is_budget_met && !stop.stop_requested()) throw Exception(budget.error());
}

// Leaves nothing of a run behind, however it ended.
void RequestEngine::State::abandon() {
  transport->cancel_all();
  flying.clear();
  waiting.clear();
  ended.clear();
  source = nullptr;
  sink = nullptr;
  is_probing.assign(is_probing.size(), false);
  for (std::size_t i = 0; i < pool.size(); ++i) pool.limiter(i).reset_in_flight();
}

void RequestEngine::State::dispatch(const std::stop_token& stop) {
  send_waiting();
  while (!is_source_dry && !is_budget_met && !stop.stop_requested() && pool.has_room() &&
         num_held() < static_cast<std::size_t>(pool.total_limit())) {
    if (!budget.allows_one_more(calls_in_flight())) {
      if (calls_in_flight() > 0) return;  // the answers tell whether one more fits
      stop_for_budget();
      return;
    }
    std::optional<GenerateRequest> request = (*source)();
    if (!request) {
      is_source_dry = true;
      return;
    }
    auto job = std::make_unique<Job>();
    job->request = std::move(*request);
    if (!send(job) && job) waiting.push_back(std::move(job));
  }
}

// Sends those that are due, in the order in which they came to wait.
void RequestEngine::State::send_waiting() {
  if (waiting.empty() || !pool.has_room()) return;
  const Clock::TimePoint now = clock.now();
  std::deque<JobPtr> rest;
  std::deque<JobPtr> due;
  due.swap(waiting);
  for (JobPtr& job : due) {
    bool may_go = job->due <= now && pool.has_room() && !is_budget_met;
    if (may_go && !budget.allows_one_more(calls_in_flight())) {
      may_go = false;
      is_budget_met = calls_in_flight() == 0;
    }
    if (may_go) send(job);
    if (job) rest.push_back(std::move(job));
  }
  // What was reported meanwhile may not have made anybody wait: only sending does that.
  waiting = std::move(rest);
  if (is_budget_met) stop_for_budget();
}

// With nothing in flight the next call does not fit: what waits cannot be asked any more. Whether
// anything is left at all is known only by asking the source.
void RequestEngine::State::stop_for_budget() {
  std::deque<JobPtr> left;
  left.swap(waiting);
  if (left.empty()) {
    std::optional<GenerateRequest> request = (*source)();
    if (!request) {
      is_source_dry = true;
      return;
    }
    left.push_back(std::make_unique<Job>());
    left.back()->request = std::move(*request);
  }
  is_budget_met = true;
  for (JobPtr& job : left) report_failure(std::move(job), OutcomeStatus::kFailed, budget.error());
}

// True when a call for the job was started. Otherwise the job is either still there, to wait, or
// empty: it was reported.
bool RequestEngine::State::send(JobPtr& job) {
  const GenerateRequest& request = job->request;
  bool is_unsupported_everywhere = true;
  bool is_probe_needed = false;
  for (std::size_t i = 0; i < pool.size(); ++i) {
    const Readiness readiness = protocol->readiness(request, i);
    is_unsupported_everywhere = is_unsupported_everywhere && readiness == Readiness::kUnsupported;
    is_probe_needed = is_probe_needed || readiness == Readiness::kNeedsProbe;
  }
  if (is_unsupported_everywhere) {
    report_unsupported(std::move(job));
    return false;
  }
  if (is_probe_needed) {
    const auto probed = pool.choose([&](std::size_t i) {
      return !is_probing[i] && protocol->readiness(request, i) == Readiness::kNeedsProbe;
    });
    if (probed) return start_call(job, *probed, true);
  }
  const auto chosen = pool.choose(
      [&](std::size_t i) { return protocol->readiness(request, i) == Readiness::kReady; });
  return chosen && start_call(job, *chosen, false);
}

bool RequestEngine::State::start_call(JobPtr& job, std::size_t endpoint, bool is_probe) {
  job->endpoint = endpoint;
  job->is_probe = is_probe;
  Result<net::HttpRequest> built = is_probe ? protocol->build_probe(job->request, endpoint)
                                            : protocol->build(job->request, endpoint);
  if (!built) {
    const OutcomeStatus status = built.error().code == ErrorCode::kUnimplemented
                                     ? OutcomeStatus::kUnsupported
                                     : OutcomeStatus::kFailed;
    report_failure(std::move(job), status, built.error());
    return false;
  }
  built->connect_timeout = options.connect_timeout;
  built->total_timeout = options.total_timeout;
  built->max_response_bytes = options.max_reply_bytes;
  job->begun = pool.limiter(endpoint).begin();
  ++job->calls;
  is_probing[endpoint] = is_probing[endpoint] || is_probe;
  const std::uint64_t call = next_call++;
  flying.emplace(call, std::move(job));
  transport->start(std::move(*built), [this, call](Result<net::HttpResponse> result) {
    ended.push_back({call, std::move(result)});
  });
  return true;
}

void RequestEngine::State::report_unsupported(JobPtr job) {
  Error reason = protocol->unsupported_reason(job->request, 0);
  report_failure(std::move(job), OutcomeStatus::kUnsupported, std::move(reason));
}

void RequestEngine::State::settle(std::uint64_t call, Result<net::HttpResponse> result) {
  const auto found = flying.find(call);
  if (found == flying.end()) return;
  JobPtr job = std::move(found->second);
  flying.erase(found);
  if (job->is_probe) is_probing[job->endpoint] = false;
  if (result) {
    settle_reply(std::move(job), std::move(*result));
  } else {
    settle_error(std::move(job), result.error());
  }
}

void RequestEngine::State::settle_reply(JobPtr job, net::HttpResponse response) {
  ReplyVerdict verdict = job->is_probe
                             ? protocol->settle_probe(job->request, job->endpoint, response)
                             : protocol->parse(job->request, job->endpoint, response);
  verdict.error.message = protocol->redacted(std::move(verdict.error.message));
  note_endpoint(*job, response.status, verdict);
  if (response.status >= 200 && response.status <= 299) {
    count_usage(*job, verdict.usage, verdict.text.size());
  }
  switch (verdict.next) {
    case ReplyVerdict::Next::kEndRun:
      throw Exception(verdict.error);
    case ReplyVerdict::Next::kAskAgain:
      learn(std::move(job));
      return;
    case ReplyVerdict::Next::kRetry:
      retry_later(std::move(job), std::move(verdict.error), response.status == 429,
                  wished_delay(response, verdict));
      return;
    case ReplyVerdict::Next::kFinal:
      if (job->is_probe) {
        learn(std::move(job));
      } else {
        settle_final(std::move(job), std::move(verdict), std::move(response.body));
      }
      return;
  }
}

// What a reply says about the endpoint it came from.
void RequestEngine::State::note_endpoint(const Job& job, int status, const ReplyVerdict& verdict) {
  AdaptiveLimiter& limiter = pool.limiter(job.endpoint);
  pool.replied(job.endpoint);
  if (status == 429 || status == 503) {
    limiter.rate_limited(job.begun);
  } else if (status >= 200 && status <= 299) {
    limiter.succeeded(job.begun);
  } else {
    limiter.failed();
  }
  if (status >= 500 && is_retried_status(status)) {
    pool.failed(job.endpoint, job.begun, verdict.error.message);
  } else {
    pool.answered(job.endpoint);
  }
}

void RequestEngine::State::settle_error(JobPtr job, Error error) {
  pool.limiter(job->endpoint).failed();
  error.message = protocol->redacted(std::move(error.message));
  if (is_retried_error(error.code)) {
    pool.failed(job->endpoint, job->begun, error.message);
    retry_later(std::move(job), std::move(error), false, std::nullopt);
    return;
  }
  // A wrong URL, a certificate that does not hold: no other request would fare better.
  if (error.code == ErrorCode::kInvalidArgument && !pool.has_replied(job->endpoint)) {
    throw Exception(error);
  }
  if (error.code == ErrorCode::kResourceExhausted) pool.answered(job->endpoint);
  report_failure(std::move(job), OutcomeStatus::kFailed, std::move(error));
}

void RequestEngine::State::settle_final(JobPtr job, ReplyVerdict verdict, std::string body) {
  GenerateOutcome outcome;
  outcome.ticket = job->request.ticket;
  outcome.status = verdict.status;
  outcome.text = std::move(verdict.text);
  outcome.choice_logprobs = std::move(verdict.choice_logprobs);
  outcome.usage = verdict.usage;
  outcome.latency_s = std::chrono::duration<double>(clock.now() - job->begun).count();
  outcome.tries = job->calls;
  outcome.endpoint = pool.name(job->endpoint);
  outcome.raw_reply = protocol->redacted(std::move(body));
  outcome.error = std::move(verdict.error);
  job.reset();
  (*sink)(std::move(outcome));
}

// `wish`: of the server, how long it is to be left alone.
void RequestEngine::State::retry_later(JobPtr job, Error error, bool is_rate_limit,
                                       std::optional<milliseconds> wish) {
  int& count = is_rate_limit ? job->rate_limits : job->failures;
  ++count;
  const bool is_over =
      is_rate_limit ? count > options.retry.max_rate_limit_tries : count >= options.retry.max_tries;
  if (wish) pool.pause(job->endpoint, std::min(*wish, options.retry.max_retry_after));
  if (is_over) {
    error.message += fmt::format(" (asked {} times)", job->calls);
    report_failure(std::move(job), OutcomeStatus::kFailed, std::move(error));
    return;
  }
  // A wish holds the endpoint back, not the request: another endpoint may take it.
  job->due = wish ? clock.now() : clock.now() + backoff_delay(count, options.retry, random);
  waiting.push_back(std::move(job));
}

// The next call is made with what this one taught.
void RequestEngine::State::learn(JobPtr job) {
  if (++job->lessons > kMaxLessons) {
    report_failure(std::move(job), OutcomeStatus::kFailed,
                   {ErrorCode::kInternal, "[requests] the protocol asks again without end"});
    return;
  }
  job->due = clock.now();
  waiting.push_front(std::move(job));
}

void RequestEngine::State::count_usage(const Job& job, const TokenUsage& usage,
                                       std::size_t reply_bytes) {
  if (!budget.has_cap() || usage.prompt_tokens > 0 || usage.completion_tokens > 0) {
    budget.add(usage);
    return;
  }
  if (!has_warned_of_estimate) {
    has_warned_of_estimate = true;
    log::warning(
        "[requests] {} does not count tokens; the cap goes by an estimate of {} bytes per "
        "token",
        pool.name(job.endpoint), kFewestBytesPerToken);
  }
  budget.add({.prompt_tokens = estimate_tokens(text_bytes(job.request)),
              .completion_tokens = estimate_tokens(reply_bytes)});
}

// Throws when no endpoint answers any more. What was sent before the outage may still come back.
void RequestEngine::State::check_outage() const {
  const auto outage = pool.find_outage();
  if (!outage) return;
  if (outage->never_replied && outage->least_failures >= options.give_up_tries_at_start) {
    throw Exception(ErrorCode::kUnavailable,
                    fmt::format("[requests] no server answers ({}); is it running, and is the base "
                                "URL right?",
                                outage->reasons));
  }
  if (outage->lasted < options.give_up_after) return;
  const bool may_come = std::ranges::any_of(
      flying, [&](const auto& entry) { return entry.second->begun <= outage->began; });
  if (may_come) return;
  throw Exception(
      ErrorCode::kUnavailable,
      fmt::format("[requests] no endpoint has answered for {} s ({}); run again to go on from here",
                  std::chrono::duration_cast<std::chrono::seconds>(outage->lasted).count(),
                  outage->reasons));
}

void RequestEngine::State::report_failure(JobPtr job, OutcomeStatus status, Error error) {
  GenerateOutcome outcome;
  outcome.ticket = job->request.ticket;
  outcome.status = status;
  outcome.tries = job->calls;
  if (job->calls > 0) {
    outcome.latency_s = std::chrono::duration<double>(clock.now() - job->begun).count();
    outcome.endpoint = pool.name(job->endpoint);
  }
  outcome.error = std::move(error);
  job.reset();
  (*sink)(std::move(outcome));
}

milliseconds RequestEngine::State::next_wait() const {
  const Clock::TimePoint now = clock.now();
  Clock::TimePoint until = now + kLongestWait;
  for (const JobPtr& job : waiting) {
    if (job->due > now) until = std::min(until, job->due);
  }
  if (const auto due = pool.next_due()) until = std::min(until, *due);
  return std::chrono::ceil<milliseconds>(until - now);
}

RequestEngine::RequestEngine(const std::vector<std::string>& base_urls,
                             const EngineOptions& options, std::unique_ptr<ChatProtocol> protocol,
                             std::unique_ptr<net::Transport> transport, const Clock& clock)
    : state_(std::make_unique<State>(base_urls, options, std::move(protocol), std::move(transport),
                                     clock)) {}

RequestEngine::~RequestEngine() = default;

void RequestEngine::run(const GenerateSource& source, const GenerateSink& sink,
                        std::stop_token stop) {
  struct Abandon {
    explicit Abandon(State& of) : state(of) {}
    ~Abandon() { state.abandon(); }
    Abandon(const Abandon&) = delete;
    Abandon& operator=(const Abandon&) = delete;
    State& state;
  } const at_the_end(*state_);
  state_->run(source, sink, stop);
}

const TokenUsage& RequestEngine::used() const {
  return state_->budget.used();
}

}  // namespace contra4::clients
