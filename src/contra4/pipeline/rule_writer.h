// Questions without any model: what the caption of one scene tells and those of the others do not,
// put into ready-made sentences. They make the pipeline run and its tests cheap; they are no
// questions to publish.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "contra4/data/item.h"

namespace contra4::pipeline {

// Changes with the words and sentences below, so that what was written before is known as such.
inline constexpr int kRuleWriterVersion = 1;
inline constexpr std::string_view kRulesModel = "rules";
inline constexpr std::string_view kRulesNote =
    "questions were written by rules; not for publication";

struct RuleQuestion {
  std::string question;  // "Which scene has a kettle in it?"
  int answer = 0;
  std::string answer_text;  // "Scene B. Only there is a kettle."
};

// From the first caption of each scene. The same captions and seed give the same question. Empty
// where no caption says anything that the others do not.
std::optional<RuleQuestion> write_by_rules(std::span<const std::string_view> captions,
                                           std::uint64_t seed);

}  // namespace contra4::pipeline
