#include "contra4/clients/server_generator.h"

#include <utility>

namespace contra4::clients {

ServerGenerator::ServerGenerator(std::string description, const std::vector<std::string>& base_urls,
                                 const EngineOptions& options,
                                 std::unique_ptr<ChatProtocol> protocol,
                                 std::unique_ptr<net::Transport> transport, const Clock& clock)
    : description_(std::move(description)),
      engine_(base_urls, options, std::move(protocol), std::move(transport), clock) {}

void ServerGenerator::run(const GenerateSource& source, const GenerateSink& sink,
                          std::stop_token stop) {
  engine_.run(source, sink, std::move(stop));
}

}  // namespace contra4::clients
