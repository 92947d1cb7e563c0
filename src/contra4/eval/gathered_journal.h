// Answers that several workers journaled, each in a folder of its own, in one journal.
#pragma once

#include <cstddef>
#include <filesystem>
#include <span>

#include "contra4/eval/request_plan.h"

namespace contra4::eval {

// Appends to the journal `into` the final answers that the journals `from` hold for requests of
// `plan` and that `into` has none of. Files that are not there hold none. Returns how many lines
// were added. Throws kUnavailable while another process writes to `into`, kResourceExhausted on a
// full disk; a kill leaves whole lines, and the next call goes on.
std::size_t gather_answers(const RequestPlan& plan, std::span<const std::filesystem::path> from,
                           const std::filesystem::path& into);

}  // namespace contra4::eval
