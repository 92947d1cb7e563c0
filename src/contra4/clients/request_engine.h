// Sends what a source gives through a protocol over one event loop: load spread over endpoints,
// adaptive concurrency, retries, budget. Holds in memory only what is in flight.
#pragma once

#include <memory>
#include <stop_token>
#include <string>
#include <vector>

#include "contra4/base/clock.h"
#include "contra4/clients/chat_protocol.h"
#include "contra4/clients/engine_options.h"
#include "contra4/inference/text_generator.h"
#include "contra4/net/transport.h"

namespace contra4::clients {

class RequestEngine {
 public:
  // `base_urls` are only names and numbers here: the protocol builds the URLs. The clock must
  // outlive the engine. Throws kInvalidArgument for options out of range.
  RequestEngine(const std::vector<std::string>& base_urls, const EngineOptions& options,
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
