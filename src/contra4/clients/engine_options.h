// How a RequestEngine sends: every setting of it and of its parts.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

#include "contra4/clients/adaptive_limiter.h"
#include "contra4/clients/budget.h"
#include "contra4/clients/endpoint_pool.h"
#include "contra4/clients/retry.h"

namespace contra4::clients {

struct EngineOptions {
  LimiterOptions limiter;
  RetryOptions retry;
  EndpointOptions endpoint;
  BudgetOptions budget;
  std::chrono::milliseconds connect_timeout{10'000};
  std::chrono::milliseconds total_timeout{600'000};  // of one call, connecting included
  std::size_t max_reply_bytes = 64U << 20;
  // The run ends with kUnavailable when no endpoint has answered for so long.
  std::chrono::milliseconds give_up_after{120'000};
  int give_up_tries_at_start = 3;  // per endpoint, when none has ever answered
  std::uint64_t seed = 0;          // of the jitter

  // Throws kInvalidArgument for what is out of range here and in `retry`; limiter, endpoint and
  // budget look at theirs when they are made.
  void validate() const;
};

}  // namespace contra4::clients
