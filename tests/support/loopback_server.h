// An HTTP/1.1 server inside the test: 127.0.0.1, a thread and sockets of its own, and a function
// from request to scripted reply, bad ones included.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace contra4::testing {

struct LoopbackRequest {
  std::string method;
  std::string target;                                        // "/v1/chat/completions?x=1"
  std::vector<std::pair<std::string, std::string>> headers;  // names in lower case
  std::string body;

  std::string_view header(std::string_view name) const;  // empty when there is none
  std::string_view path() const;                         // without the query
};

struct LoopbackReply {
  enum class Ending {
    kKeepAlive,
    kClose,      // after the whole reply
    kHalfBody,   // the header, half of the body, then the connection is cut
    kCutAtOnce,  // no byte at all
    kGarbage,    // `body` as it is, instead of HTTP, then the connection is closed
  };
  int status = 200;
  std::string body = {};
  std::string content_type = "application/json";
  std::vector<std::pair<std::string, std::string>> headers = {};
  std::chrono::milliseconds delay{0};  // before the first byte
  Ending ending = Ending::kKeepAlive;
};

// Runs on the server's thread, one request at a time.
using LoopbackHandler = std::function<LoopbackReply(const LoopbackRequest&)>;

struct LoopbackOptions {
  std::uint16_t port = 0;        // 0: any free one
  bool records_requests = true;  // false: memory stays flat however many come
};

class LoopbackServer {
 public:
  // Answers until it is destroyed. Throws std::system_error when the port is taken.
  explicit LoopbackServer(LoopbackHandler handler, const LoopbackOptions& options = {});
  ~LoopbackServer();
  LoopbackServer(const LoopbackServer&) = delete;
  LoopbackServer& operator=(const LoopbackServer&) = delete;

  std::uint16_t port() const;
  std::string url() const;                                      // "http://127.0.0.1:PORT"
  std::string base_url() const { return url() + "/v1"; }        // of the OpenAI protocol
  std::string gemini_url() const { return url() + "/v1beta"; }  // of Gemini's

  // From any thread. Requests in the order in which they were complete.
  std::vector<LoopbackRequest> requests() const;
  std::size_t num_requests() const;
  std::size_t num_connections() const;        // accepted since the start
  std::size_t peak_pending() const;           // requests waiting for their reply at the same time
  void set_handler(LoopbackHandler handler);  // from the next request on

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// A model server whose answers depend on the body of the request alone: /v1/chat/completions,
// /v1/completions, /v1/models, /v1beta/models/NAME:generateContent (any prefix before them). It
// writes a question where the prompt ends in "Generated Question:", else it
// names one of the scenes that the prompt mentions ("Scene A" to "Scene D"); where logprobs or a
// JSON schema are asked for it gives them.
LoopbackReply answer_as_model_server(const LoopbackRequest& request);

// Fails a share `rate` of the requests before `handler` sees them: 429 with and without
// Retry-After, 500, 503, half a body, garbage, a cut connection. Decided by seed, body and how
// often that body was asked before, so that retries succeed and a second run fails the same way.
LoopbackHandler with_failures(LoopbackHandler handler, double rate, std::uint64_t seed);

// A small JSON string literal, quotes included.
std::string json_text(std::string_view text);

}  // namespace contra4::testing
