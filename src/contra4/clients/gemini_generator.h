// The family gemini/NAME.
#pragma once

#include <memory>

#include "contra4/base/clock.h"
#include "contra4/clients/gemini_protocol.h"
#include "contra4/clients/server_generator.h"

namespace contra4::clients {

// A model of Google's.
// The clock must outlive the generator. Throws kInvalidArgument for options out of range.
std::unique_ptr<ServerGenerator> make_gemini_generator(const GeminiProtocolOptions& options,
                                                       const EngineOptions& engine,
                                                       std::unique_ptr<net::Transport> transport,
                                                       const Clock& clock);

}  // namespace contra4::clients
