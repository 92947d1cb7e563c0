// What an evaluation would ask, without asking it.
#pragma once

#include <optional>
#include <string>

#include "contra4/apps/model_flags.h"
#include "contra4/eval/input.h"
#include "contra4/eval/request_plan.h"

namespace contra4::apps {

// Number of requests, items per cell, the first question as the model would be shown it, and for
// models behind a prompt an estimate of tokens, with a price also of money.
std::string dry_run_text(const eval::RequestPlan& plan, const eval::SceneSource& scenes,
                         const ModelFlags& flags, const OpenedModel& model);

// A prompt's messages as one text, media by their file names.
std::string prompt_text(const ModelFlags& flags, const Question& question);

}  // namespace contra4::apps
