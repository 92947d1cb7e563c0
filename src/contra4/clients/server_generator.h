// A protocol and the engine that speaks it, as a TextGenerator.
#pragma once

#include <memory>
#include <stop_token>
#include <string>
#include <vector>

#include "contra4/base/clock.h"
#include "contra4/clients/api_key.h"
#include "contra4/clients/chat_protocol.h"
#include "contra4/clients/request_engine.h"
#include "contra4/inference/text_generator.h"
#include "contra4/net/transport.h"

namespace contra4::clients {

class ServerGenerator final : public TextGenerator {
 public:
  // `description` is what description_json() gives: how fast a server is asked does not decide an
  // answer and has no place there. The clock must outlive the generator. Throws kInvalidArgument
  // for engine options out of range.
  ServerGenerator(std::string description, const std::vector<std::string>& base_urls,
                  const EngineOptions& options, std::unique_ptr<ChatProtocol> protocol,
                  std::unique_ptr<net::Transport> transport, const Clock& clock);

  void run(const GenerateSource& source, const GenerateSink& sink, std::stop_token stop) override;
  std::string description_json() const override { return description_; }

  // Of all runs so far.
  const TokenUsage& used() const { return engine_.used(); }

 private:
  std::string description_;
  RequestEngine engine_;
};

// A model on one or several servers, as a family's options name it.
struct ServedModel {
  std::string family;  // "openai"
  std::string name;
  std::string api;  // empty where the family has one only
  std::vector<std::string> base_urls;
  ApiKey key;
};

// Describes the model by family, name, api and the names of its endpoints, never by its key; warns
// of each URL that would carry the key in the open. Clock and exceptions as for ServerGenerator.
std::unique_ptr<ServerGenerator> make_server_generator(const ServedModel& model,
                                                       const EngineOptions& engine,
                                                       std::unique_ptr<ChatProtocol> protocol,
                                                       std::unique_ptr<net::Transport> transport,
                                                       const Clock& clock);

}  // namespace contra4::clients
