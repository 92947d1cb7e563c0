// When a failed call is made again, and after how long.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string_view>

#include "contra4/base/error.h"
#include "contra4/base/random.h"
#include "contra4/net/transport.h"

namespace contra4::clients {

struct RetryOptions {
  int max_tries = 6;                           // of one request, the first included; at least 1
  int max_rate_limit_tries = 60;               // replies 429 that do not count as tries
  std::chrono::milliseconds first_delay{500};  // doubled per failure, then jittered
  std::chrono::milliseconds max_delay{30'000};
  std::chrono::milliseconds max_retry_after{600'000};  // a server's wish above it is cut to it
};

// 408, 409 (a lock conflict), 425, 429 and every 5xx but 501 and 505.
bool is_retried_status(int status);
// kUnavailable and kDeadlineExceeded: connection refused or cut, timeouts, garbage for HTTP.
bool is_retried_error(ErrorCode code);

// Delay before try number `failures` + 1: uniform in the upper half of
// first_delay * 2^(failures - 1), capped.
std::chrono::milliseconds backoff_delay(int failures, const RetryOptions& options, Random& random);

// The server's wish: "retry-after-ms", or "retry-after" in seconds (fractions too) or as an HTTP
// date, taken against the reply's own "date" header so that a wrong clock on either side does not
// matter (`unix_now_s` where it has none). Empty when absent or unreadable; never negative.
std::optional<std::chrono::milliseconds> retry_after(const net::HttpResponse& response,
                                                     std::int64_t unix_now_s);

// Seconds since 1970 of "Sun, 06 Nov 1994 08:49:37 GMT" (IMF-fixdate).
std::optional<std::int64_t> parse_http_date(std::string_view text);

}  // namespace contra4::clients
