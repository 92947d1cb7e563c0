// Sends what a source gives through a protocol over one event loop: load spread over endpoints,
// adaptive concurrency, retries, budget. Holds in memory only what is in flight.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <stop_token>
#include <string>
#include <vector>

#include "contra4/base/clock.h"
#include "contra4/clients/adaptive_limiter.h"
#include "contra4/clients/budget.h"
#include "contra4/clients/chat_protocol.h"
#include "contra4/clients/endpoint_pool.h"
#include "contra4/clients/retry.h"
#include "contra4/inference/text_generator.h"
#include "contra4/net/transport.h"

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
};

class RequestEngine {
 public:
  // `base_urls` are only names and numbers here: the protocol builds the URLs. The clock must
  // outlive the engine. Throws kInvalidArgument for options out of range.
  RequestEngine(std::vector<std::string> base_urls, const EngineOptions& options,
                std::unique_ptr<ChatProtocol> protocol, std::unique_ptr<net::Transport> transport,
                const Clock& clock);
  ~RequestEngine();
  RequestEngine(const RequestEngine&) = delete;
  RequestEngine& operator=(const RequestEngine&) = delete;

  // As TextGenerator::run. Also throws kResourceExhausted when the budget is spent, after all that
  // was in flight has been reported.
  void run(const GenerateSource& source, const GenerateSink& sink, std::stop_token stop);

  // Of all runs so far.
  const TokenUsage& used() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace contra4::clients
