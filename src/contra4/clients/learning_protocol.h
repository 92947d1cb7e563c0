// What the protocols of this room share: an endpoint is asked as well as it is known, its refusals
// are learned from, and what it takes beside text is probed.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "contra4/clients/api_key.h"
#include "contra4/clients/chat_protocol.h"
#include "contra4/clients/media_probes.h"
#include "contra4/clients/server_message.h"
#include "contra4/clients/server_quirks.h"
#include "contra4/io/json.h"

namespace contra4::clients {

// One line of a protocol's table of errors that are neither learned from nor plain statuses.
struct ErrorMeaning {
  std::string_view words;  // in lower case, anywhere in message, code, type or param
  ReplyVerdict::Next next;
  OutcomeStatus status;
  ErrorCode code;
  std::string_view hint;
};

class LearningProtocol : public ChatProtocol {
 public:
  Result<net::HttpRequest> build(const GenerateRequest& request, std::size_t endpoint) final;
  ReplyVerdict parse(const GenerateRequest& request, std::size_t endpoint,
                     const net::HttpResponse& response) final;
  std::string redacted(std::string body) const final { return key_.clean(std::move(body)); }
  Readiness readiness(const GenerateRequest& request, std::size_t endpoint) const final;
  Error unsupported_reason(const GenerateRequest& request, std::size_t endpoint) const final;
  // The first medium of an unsettled kind, alone, with a request for one word.
  Result<net::HttpRequest> build_probe(const GenerateRequest& request, std::size_t endpoint) final;
  ReplyVerdict settle_probe(const GenerateRequest& request, std::size_t endpoint,
                            const net::HttpResponse& response) final;

  // What was learned of an endpoint so far.
  QuirkSet quirks(std::size_t endpoint) const { return endpoints_[endpoint].quirks; }

 protected:
  struct Endpoint {
    std::string url;
    std::string name;  // printable
    QuirkSet quirks;
    MediaProbes media;
    bool has_given_logprobs = false;
    QuirkSet probe_quirks;  // of the probe under way
  };
  static Endpoint make_endpoint(std::string url, std::string name,
                                std::array<int, kNumChannels> num_media_styles) {
    return {std::move(url), std::move(name), {}, MediaProbes(num_media_styles), false, {}};
  }
  // Throws kInvalidArgument for an empty model or no endpoint.
  LearningProtocol(std::string model, ApiKey key, std::vector<Endpoint> endpoints);

  // The whole request in the dialect of the endpoint.
  virtual Result<net::HttpRequest> write(const GenerateRequest& request,
                                         const Endpoint& endpoint) const = 0;
  virtual bool takes_media() const { return true; }  // no: write() says so for each request
  // Whether a body is an answer, for parse_answer(), or else an error.
  virtual bool holds_answer(const io::JsonValue& root) const = 0;
  virtual ReplyVerdict parse_answer(const GenerateRequest& request, Endpoint& endpoint,
                                    const io::JsonValue& root) const = 0;
  // An error that nothing was learned from; `root` is null for no JSON.
  virtual ReplyVerdict parse_error(const Endpoint& endpoint, const ServerMessage& message,
                                   const io::JsonValue* root) const;
  virtual std::span<const QuirkRow> quirk_table() const = 0;
  virtual QuirkSet possible_quirks(const GenerateRequest& request, QuirkSet used) const = 0;
  virtual std::span<const ErrorMeaning> error_meanings() const = 0;

  // The verdict with choice_logprobs read from `logprobs`, or the end of the run for an endpoint
  // that gives none.
  ReplyVerdict with_logprobs(const GenerateRequest& request, Endpoint& endpoint,
                             const io::JsonValue* logprobs, ReplyVerdict verdict) const;
  const std::string& model() const { return model_; }
  const ApiKey& key() const { return key_; }

 private:
  ReplyVerdict parse_sent(const GenerateRequest& request, Endpoint& endpoint, QuirkSet used,
                          const net::HttpResponse& response) const;
  ReplyVerdict learn_or_judge(const GenerateRequest& request, Endpoint& endpoint, QuirkSet used,
                              const ServerMessage& message, const io::JsonValue* root) const;
  ServerMessage message_of(const net::HttpResponse& response, const io::JsonValue* root) const;

  std::string model_;
  ApiKey key_;
  std::vector<Endpoint> endpoints_;
  // The quirks that each request in flight was built with, by ticket: of many that were sent before
  // the first refusal came back, each is asked once more, and none for ever.
  std::unordered_map<std::uint64_t, QuirkSet> sent_;
};

// A verdict that is no answer.
ReplyVerdict failure(ReplyVerdict::Next next, ErrorCode code, std::string message);

}  // namespace contra4::clients
