// What a model thinks aloud before it answers.
#pragma once

#include <string>
#include <string_view>

namespace contra4::scoring {

// The reply without its reasoning: blocks of <think>, <thinking>, <thought>, <reasoning>,
// <reflection>, <scratchpad>, <analysis>, [THINK], <|begin_of_thought|> and their like, and all
// channels but the final one (<|channel|>analysis<|message|>...). A block that is never closed
// takes all that follows it; one that was never opened, because the prompt did, all that precedes
// it. Any bytes; time linear in the reply.
std::string strip_reasoning(std::string_view reply);

}  // namespace contra4::scoring
