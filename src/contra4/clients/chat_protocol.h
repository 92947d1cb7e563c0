// What a family of servers speaks, apart from how requests are sent: RequestEngine does the
// sending, retrying and counting for every protocol.
#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "contra4/base/error.h"
#include "contra4/inference/text_generator.h"
#include "contra4/net/transport.h"

namespace contra4::clients {

// What a reply means for the request it answers.
struct ReplyVerdict {
  enum class Next {
    kFinal,     // `status` and the fields below are the outcome
    kRetry,     // a failure that may pass (`error`): ask again after a back-off, up to the cap
    kAskAgain,  // something was learned about the endpoint: build anew and ask at once
    kEndRun,    // `error` ends the run: a refused key, an unknown model
  };
  Next next = Next::kFinal;
  OutcomeStatus status = OutcomeStatus::kFailed;
  std::string text;
  std::vector<double> choice_logprobs;
  TokenUsage usage;
  Error error;  // of everything but kFinal with kAnswered, and kAskAgain
  // Of kRetry: the server's own wish where the body tells it (Gemini's RetryInfo); a Retry-After
  // header is the engine's to read and comes first.
  std::optional<std::chrono::milliseconds> retry_after;
};

// Whether an endpoint can be asked a request.
enum class Readiness {
  kReady,
  kNeedsProbe,   // build_probe() has to be asked of the endpoint first
  kUnsupported,  // a probe said no: the endpoint cannot take a modality of the request
};

// Used from the thread of RequestEngine::run() alone. Endpoints are numbers in the order of the
// base URLs given to the engine; what is learned of one (by probes and replies) is kept per
// endpoint.
class ChatProtocol {
 public:
  virtual ~ChatProtocol() = default;

  // A whole HTTP request, URL and key included. Errors are outcomes without a call: kUnimplemented
  // becomes kUnsupported, any other kFailed.
  virtual Result<net::HttpRequest> build(const GenerateRequest& request, std::size_t endpoint) = 0;
  // Any reply with a status; see verdict_of_status() for those that are no 2xx. The engine adds
  // ticket, latency, tries, endpoint name and the raw body.
  virtual ReplyVerdict parse(const GenerateRequest& request, std::size_t endpoint,
                             const net::HttpResponse& response) = 0;

  // A body for the journal, or words for a message: without the key, should the server have sent it
  // back. The engine passes all raw replies and errors through it.
  virtual std::string redacted(std::string body) const { return body; }

  virtual Readiness readiness(const GenerateRequest& /*request*/, std::size_t /*endpoint*/) const {
    return Readiness::kReady;
  }
  // Why readiness() is kUnsupported, naming modality and endpoint.
  virtual Error unsupported_reason(const GenerateRequest& /*request*/,
                                   std::size_t /*endpoint*/) const {
    return {ErrorCode::kUnimplemented, "not supported by this endpoint"};
  }
  // One call that tells more about what `request` needs of the endpoint; one at a time per
  // endpoint. Asked while readiness() is kNeedsProbe, so several styles may be tried in turn.
  virtual Result<net::HttpRequest> build_probe(const GenerateRequest& request,
                                               std::size_t endpoint) {
    return build(request, endpoint);
  }
  // kFinal and kAskAgain: look at readiness() again. kRetry: the same probe after a back-off.
  virtual ReplyVerdict settle_probe(const GenerateRequest& request, std::size_t endpoint,
                                    const net::HttpResponse& response) {
    return parse(request, endpoint, response);
  }
};

// The usual meaning of a status that is no 2xx: 401 and 403 end the run (kUnauthenticated, naming
// `key_variable`, the environment variable of the key), 408, 409, 425, 429 and 5xx are retried, all
// else is a failed request. `server_message` is cut to 300 characters.
ReplyVerdict verdict_of_status(int status, std::string_view server_message,
                               std::string_view endpoint_name, std::string_view key_variable);

// The first `max_bytes` of a server's words on one line, cut between characters, invalid UTF-8 and
// control characters replaced.
std::string shorten(std::string_view text, std::size_t max_bytes = 300);

}  // namespace contra4::clients
