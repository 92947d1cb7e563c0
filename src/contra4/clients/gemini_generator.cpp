#include "contra4/clients/gemini_generator.h"

#include <utility>

namespace contra4::clients {

std::unique_ptr<ServerGenerator> make_gemini_generator(const GeminiProtocolOptions& options,
                                                       const EngineOptions& engine,
                                                       std::unique_ptr<net::Transport> transport,
                                                       const Clock& clock) {
  auto protocol = std::make_unique<GeminiProtocol>(options);
  const ServedModel model{
      .family = "gemini",
      .name = options.model,
      .api = {},
      .base_urls = options.base_urls,
      .key = ApiKey(options.key, options.key_variable),
  };
  return make_server_generator(model, engine, std::move(protocol), std::move(transport), clock);
}

}  // namespace contra4::clients
