#include "contra4/clients/server_generator.h"

#include <utility>

#include "contra4/clients/endpoint_pool.h"
#include "contra4/io/json_writer.h"

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

std::unique_ptr<ServerGenerator> make_server_generator(const ServedModel& model,
                                                       const EngineOptions& engine,
                                                       std::unique_ptr<ChatProtocol> protocol,
                                                       std::unique_ptr<net::Transport> transport,
                                                       const Clock& clock) {
  io::JsonWriter writer;
  writer.begin_object().member("family", model.family).member("model", model.name);
  if (!model.api.empty()) writer.member("api", model.api);
  writer.key("endpoints").begin_array();
  for (const std::string& url : model.base_urls) {
    writer.value(endpoint_name(url));
    warn_of_open_key(model.key, url);
  }
  writer.end_array().end_object();
  return std::make_unique<ServerGenerator>(writer.take(), model.base_urls, engine,
                                           std::move(protocol), std::move(transport), clock);
}

}  // namespace contra4::clients
