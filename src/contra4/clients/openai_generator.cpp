#include "contra4/clients/openai_generator.h"

#include <utility>

namespace contra4::clients {

std::unique_ptr<ServerGenerator> make_openai_generator(const OpenAiProtocolOptions& options,
                                                       const EngineOptions& engine,
                                                       std::unique_ptr<net::Transport> transport,
                                                       const Clock& clock) {
  auto protocol = std::make_unique<OpenAiProtocol>(options);
  const ServedModel model{
      .family = "openai",
      .name = options.model,
      .api = options.api == OpenAiApi::kChat ? "chat" : "completions",
      .base_urls = options.base_urls,
      .key = ApiKey(options.key, options.key_variable),
  };
  return make_server_generator(model, engine, std::move(protocol), std::move(transport), clock);
}

}  // namespace contra4::clients
