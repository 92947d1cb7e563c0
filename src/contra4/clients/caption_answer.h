// What answerers that compare captions have in common.
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

#include "contra4/base/error.h"
#include "contra4/inference/answerer.h"

namespace contra4::clients {

// What a question lacks to be answered from its captions; `family` begins the message.
std::optional<Error> find_missing_text(const Question& question, std::string_view family);

// Decides an answer for the scene at `place`.
void choose_scene(Answer& answer, std::size_t place);

}  // namespace contra4::clients
