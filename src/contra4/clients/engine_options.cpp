#include "contra4/clients/engine_options.h"

#include <fmt/format.h>

#include "contra4/base/error.h"

namespace contra4::clients {

void EngineOptions::validate() const {
  const auto require = [](bool holds, const char* wanted) {
    if (!holds) {
      throw Exception(ErrorCode::kInvalidArgument, fmt::format("[requests] needs {}", wanted));
    }
  };
  require(retry.max_tries >= 1, "at least one try");
  require(retry.max_rate_limit_tries >= 0, "a number of rate-limited tries from 0 up");
  require(retry.first_delay.count() >= 0 && retry.max_delay >= retry.first_delay,
          "0 <= first delay <= longest delay");
  require(retry.max_retry_after.count() >= 0, "a longest Retry-After from 0 up");
  require(connect_timeout.count() > 0, "a connect timeout above 0");
  require(total_timeout.count() > 0, "a total timeout above 0");
  require(max_reply_bytes > 0, "a reply size above 0");
  require(give_up_after.count() > 0, "a time to give up after above 0");
  require(give_up_tries_at_start >= 1, "at least one try per endpoint at the start");
}

}  // namespace contra4::clients
