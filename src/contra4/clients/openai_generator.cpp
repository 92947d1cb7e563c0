#include "contra4/clients/openai_generator.h"

#include <string>
#include <utility>

#include "contra4/clients/endpoint_pool.h"
#include "contra4/io/json_writer.h"

namespace contra4::clients {

std::unique_ptr<ServerGenerator> make_openai_generator(const OpenAiProtocolOptions& options,
                                                       const EngineOptions& engine,
                                                       std::unique_ptr<net::Transport> transport,
                                                       const Clock& clock) {
  io::JsonWriter writer;
  writer.begin_object().member("family", "openai").member("model", options.model);
  writer.member("api", options.api == OpenAiApi::kChat ? "chat" : "completions");
  writer.key("endpoints").begin_array();
  for (const std::string& url : options.base_urls) writer.value(endpoint_name(url));
  writer.end_array().end_object();
  auto protocol = std::make_unique<OpenAiProtocol>(options);
  const ApiKey key(options.key, options.key_variable);
  for (const std::string& url : options.base_urls) warn_of_open_key(key, url);
  return std::make_unique<ServerGenerator>(writer.take(), options.base_urls, engine,
                                           std::move(protocol), std::move(transport), clock);
}

}  // namespace contra4::clients
