#include "contra4/clients/learning_protocol.h"

#include <utility>

#include <fmt/format.h>

#include "contra4/base/log.h"
#include "contra4/clients/letter_logprobs.h"

namespace contra4::clients {

namespace {

using Next = ReplyVerdict::Next;

// More than can be in flight: what is left beyond it belongs to requests that failed without a
// reply.
constexpr std::size_t kMaxSent = 16'384;
constexpr int kProbeTokens = 16;

bool is_success(int status) {
  return status >= 200 && status < 300;
}

// Statuses whose words are worth reading: chat templates and llama.cpp refuse with 500.
bool may_teach(int status) {
  return status != 401 && status != 403 && status != 408 && status != 429;
}

GenerateRequest make_probe(const GenerateRequest& request, const ContentPart& medium) {
  GenerateRequest probe;
  probe.ticket = request.ticket;
  probe.name = request.name;
  probe.sampling.max_tokens = kProbeTokens;
  ContentPart question;
  question.text = "What is this? Answer with one word.";
  probe.messages.push_back({Role::kUser, {medium, std::move(question)}});
  return probe;
}

}  // namespace

ReplyVerdict failure(Next next, ErrorCode code, std::string message) {
  ReplyVerdict verdict;
  verdict.next = next;
  verdict.error = {code, std::move(message)};
  return verdict;
}

LearningProtocol::LearningProtocol(std::string model, ApiKey key, std::vector<Endpoint> endpoints)
    : model_(std::move(model)), key_(std::move(key)), endpoints_(std::move(endpoints)) {
  if (model_.empty()) {
    throw Exception(ErrorCode::kInvalidArgument,
                    "no model is named: write openai/NAME or gemini/NAME");
  }
  if (endpoints_.empty()) {
    throw Exception(ErrorCode::kInvalidArgument, "no base URL is given: see --base-url");
  }
}

Result<net::HttpRequest> LearningProtocol::build(const GenerateRequest& request,
                                                 std::size_t endpoint) {
  const Endpoint& asked = endpoints_[endpoint];
  auto http = write(request, asked);
  if (!http) return http;
  if (sent_.size() >= kMaxSent) sent_.clear();
  sent_[request.ticket] = asked.quirks;
  return http;
}

ReplyVerdict LearningProtocol::parse(const GenerateRequest& request, std::size_t endpoint,
                                     const net::HttpResponse& response) {
  Endpoint& asked = endpoints_[endpoint];
  // A request that is not known was built with all that is known now: it is not asked again.
  QuirkSet used = asked.quirks;
  if (const auto sent = sent_.find(request.ticket); sent != sent_.end()) {
    used = sent->second;
    sent_.erase(sent);
  }
  return parse_sent(request, asked, used, response);
}

ServerMessage LearningProtocol::message_of(const net::HttpResponse& response,
                                           const io::JsonValue* root) const {
  ServerMessage message = parse_server_message(response.status, root, response.body);
  message.message = key_.clean(std::move(message.message));
  return message;
}

ReplyVerdict LearningProtocol::parse_sent(const GenerateRequest& request, Endpoint& endpoint,
                                          QuirkSet used, const net::HttpResponse& response) const {
  const auto parsed = io::parse_json(response.body, "reply");
  const io::JsonValue* root = parsed ? &*parsed : nullptr;
  if (is_success(response.status) && root == nullptr) {
    return failure(
        Next::kRetry, ErrorCode::kUnavailable,
        response.body.empty()
            ? fmt::format("{} sent an empty body", endpoint.name)
            : fmt::format("{} sent no JSON but '{}': {}", endpoint.name,
                          shorten(key_.clean(std::string(response.header("content-type"))), 60),
                          shorten(key_.clean(response.body), 120)));
  }
  if (is_success(response.status) && holds_answer(*root)) {
    ReplyVerdict verdict = parse_answer(request, endpoint, *root);
    verdict.text = key_.clean(std::move(verdict.text));
    verdict.error.message = key_.clean(std::move(verdict.error.message));
    return verdict;
  }
  // Gateways pass on errors with status 200.
  const ServerMessage message = message_of(response, root);
  if (is_success(message.status)) {
    return failure(
        Next::kRetry, ErrorCode::kUnavailable,
        fmt::format("{} sent JSON without an answer: {}", endpoint.name, shorten(message.message)));
  }
  return learn_or_judge(request, endpoint, used, message, root);
}

ReplyVerdict LearningProtocol::learn_or_judge(const GenerateRequest& request, Endpoint& endpoint,
                                              QuirkSet used, const ServerMessage& message,
                                              const io::JsonValue* root) const {
  if (!may_teach(message.status)) return parse_error(endpoint, message, root);
  const std::string words =
      fmt::format("{} answers {}: {}", endpoint.name, message.status, shorten(message.message));
  QuirkSet found = find_quirks(message, quirk_table(), possible_quirks(request, used));
  if (found.has(Quirk::kFewLogprobs)) found = found.without({Quirk::kNoLogprobs});
  if (found.has(Quirk::kNoLogprobs)) {
    return failure(Next::kEndRun, ErrorCode::kUnimplemented,
                   words + "; no log-probabilities there: use --answer text");
  }
  if (!found.is_empty()) {
    if (const QuirkSet news = found.without(endpoint.quirks); !news.is_empty()) {
      log::info("{}: from now on {} ({})", endpoint.name, describe(news),
                shorten(message.message, 120));
    }
    endpoint.quirks.add(found);
    return failure(Next::kAskAgain, ErrorCode::kInvalidArgument, words);
  }
  if (has_media(request) && refuses_media(message)) {
    ReplyVerdict verdict = failure(Next::kFinal, ErrorCode::kUnimplemented, words);
    verdict.status = OutcomeStatus::kUnsupported;
    return verdict;
  }
  return parse_error(endpoint, message, root);
}

ReplyVerdict LearningProtocol::parse_error(const Endpoint& endpoint, const ServerMessage& message,
                                           const io::JsonValue* /*root*/) const {
  const std::string words =
      fmt::format("{} answers {}: {}", endpoint.name, message.status, shorten(message.message));
  for (const ErrorMeaning& meaning : error_meanings()) {
    if (!message.mentions(meaning.words)) continue;
    ReplyVerdict verdict =
        failure(meaning.next, meaning.code, fmt::format("{} ({})", words, meaning.hint));
    verdict.status = meaning.status;
    return verdict;
  }
  if (message.status == 404 || message.status == 405) {
    return failure(Next::kEndRun, ErrorCode::kNotFound,
                   fmt::format("{} (model '{}'; are its name and --base-url right?)", words,
                               shorten(model_, 100)));
  }
  return verdict_of_status(message.status, message.message, endpoint.name, key_.variable());
}

ReplyVerdict LearningProtocol::with_logprobs(const GenerateRequest& request, Endpoint& endpoint,
                                             const io::JsonValue* logprobs,
                                             ReplyVerdict verdict) const {
  const auto alternatives = parse_first_token(logprobs);
  if (alternatives) {
    endpoint.has_given_logprobs = true;
    verdict.choice_logprobs = letter_logprobs(*alternatives, request.choices);
    return verdict;
  }
  // An endpoint that gave them before has only cut this reply short.
  return failure(endpoint.has_given_logprobs ? Next::kFinal : Next::kEndRun,
                 ErrorCode::kUnimplemented,
                 fmt::format("{} sent no log-probabilities: use --answer text", endpoint.name));
}

Readiness LearningProtocol::readiness(const GenerateRequest& request, std::size_t endpoint) const {
  return takes_media() ? endpoints_[endpoint].media.readiness(request) : Readiness::kReady;
}

Error LearningProtocol::unsupported_reason(const GenerateRequest& request,
                                           std::size_t endpoint) const {
  return endpoints_[endpoint].media.unsupported_reason(request, endpoints_[endpoint].name);
}

Result<net::HttpRequest> LearningProtocol::build_probe(const GenerateRequest& request,
                                                       std::size_t endpoint) {
  Endpoint& asked = endpoints_[endpoint];
  const ContentPart* medium = asked.media.find_part_to_probe(request);
  if (medium == nullptr) return Error{ErrorCode::kInternal, "a probe without a medium"};
  asked.probe_quirks = asked.quirks;
  return write(make_probe(request, *medium), asked);
}

ReplyVerdict LearningProtocol::settle_probe(const GenerateRequest& request, std::size_t endpoint,
                                            const net::HttpResponse& response) {
  Endpoint& asked = endpoints_[endpoint];
  const ContentPart* medium = asked.media.find_part_to_probe(request);
  if (medium == nullptr) return failure(Next::kAskAgain, ErrorCode::kInternal, "nothing to settle");
  const Channel channel = channel_of(medium->modality);
  ReplyVerdict verdict =
      parse_sent(make_probe(request, *medium), asked, asked.probe_quirks, response);
  if (verdict.next == Next::kAskAgain) return verdict;
  // What is blocked was looked at.
  if (verdict.next == Next::kFinal &&
      (verdict.status == OutcomeStatus::kAnswered || verdict.status == OutcomeStatus::kBlocked)) {
    asked.media.accept(channel);
    log::debug("{}: takes {}", asked.name, to_string(channel));
    return verdict;
  }
  const auto parsed = io::parse_json(response.body, "reply");
  const ServerMessage message = message_of(response, parsed ? &*parsed : nullptr);
  // llama.cpp says no with 500, OpenRouter with 404: words count before the status.
  const bool is_refused = may_teach(message.status) && refuses_media(message);
  const bool is_at_fault = verdict.next == Next::kRetry && message.status == 500 &&
                           asked.media.is_failure_enough(channel);
  if (!is_refused && !is_at_fault && verdict.next != Next::kFinal) return verdict;
  asked.media.reject(channel, request.ticket, message);
  if (asked.media.is_refused(channel)) {
    log::warning("{}", asked.media.unsupported_reason(request, asked.name).message);
  }
  verdict.next = Next::kFinal;
  return verdict;
}

}  // namespace contra4::clients
