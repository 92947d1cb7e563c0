// The family openai/NAME.
#pragma once

#include <memory>

#include "contra4/base/clock.h"
#include "contra4/clients/openai_protocol.h"
#include "contra4/clients/server_generator.h"

namespace contra4::clients {

// A model on any server that speaks OpenAI's protocol, or on several of them that share the load.
// The clock must outlive the generator. Throws kInvalidArgument for options out of range.
std::unique_ptr<ServerGenerator> make_openai_generator(const OpenAiProtocolOptions& options,
                                                       const EngineOptions& engine,
                                                       std::unique_ptr<net::Transport> transport,
                                                       const Clock& clock);

}  // namespace contra4::clients
