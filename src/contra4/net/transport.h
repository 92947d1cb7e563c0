// HTTP as an event loop: many requests in flight on one thread.
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "contra4/base/error.h"

namespace contra4::net {

struct HttpRequest {
  std::string method = "POST";
  std::string url;
  std::vector<std::pair<std::string, std::string>> headers;  // may hold secrets: never logged
  std::string body;
  std::chrono::milliseconds connect_timeout{10'000};
  std::chrono::milliseconds total_timeout{600'000};
  std::size_t max_response_bytes = 64U << 20;
};

struct HttpResponse {
  int status = 0;
  std::vector<std::pair<std::string, std::string>> headers;  // names in lower case
  std::string body;

  // The first of that (lower-case) name; empty when there is none.
  std::string_view header(std::string_view name) const;
};

// One at a time: start() and poll() are called from the same thread, and callbacks run inside
// poll(). A callback may start further requests.
class Transport {
 public:
  using Callback = std::function<void(Result<HttpResponse>)>;
  virtual ~Transport() = default;
  // Any complete answer with a status is a value; errors are kUnavailable (refused, cut),
  // kDeadlineExceeded, kResourceExhausted (answer too large), kInvalidArgument (URL, TLS check).
  virtual void start(HttpRequest request, Callback done) = 0;
  // Moves bytes and calls back for what ended; waits up to `wait` if nothing happens at once.
  virtual void poll(std::chrono::milliseconds wait) = 0;
  virtual std::size_t in_flight() const = 0;
  // Drops all requests in flight without calling back.
  virtual void cancel_all() = 0;
};

struct CurlOptions {
  int max_connections = 1024;
  std::string ca_file;  // PEM bundle; empty: the system's
};

// libcurl multi: keep-alive, HTTP/2 where offered, TLS always checked.
std::unique_ptr<Transport> make_curl_transport(const CurlOptions& options = {});

}  // namespace contra4::net
