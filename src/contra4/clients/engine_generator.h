// A model on servers of our own: they start when the first request is there, and end with the
// generator.
#pragma once

#include <functional>
#include <memory>
#include <stop_token>
#include <string>
#include <vector>

#include "contra4/clients/local_engine.h"
#include "contra4/inference/text_generator.h"
#include "contra4/net/transport.h"

namespace contra4::clients {

class EngineGenerator final : public TextGenerator {
 public:
  // Makes what asks the servers at these base URLs.
  using MakeGenerator =
      std::function<std::unique_ptr<TextGenerator>(const std::vector<std::string>& base_urls)>;

  // One server per element of `engines`, all of the same model, sharing the load. Throws
  // kInvalidArgument when they are of different models, and as `make` does.
  EngineGenerator(const std::vector<LocalEngineOptions>& engines, const MakeGenerator& make,
                  std::unique_ptr<net::Transport> transport);
  ~EngineGenerator() override;
  EngineGenerator(const EngineGenerator&) = delete;
  EngineGenerator& operator=(const EngineGenerator&) = delete;

  // A run without requests starts nothing. Also throws as LocalEngine does, and kUnavailable with
  // the last lines of the log when all servers ended under way.
  void run(const GenerateSource& source, const GenerateSink& sink, std::stop_token stop) override;
  // Engine, model and arguments: not the port, which is another in every run.
  std::string description_json() const override;

 private:
  bool start(const std::stop_token& stop);
  void end_all();

  std::vector<std::unique_ptr<LocalEngine>> engines_;
  std::unique_ptr<TextGenerator> generator_;
  std::unique_ptr<net::Transport> transport_;
  std::stop_token stop_;  // of the last run
  bool is_ready_ = false;
};

}  // namespace contra4::clients
