#include "contra4/clients/caption_answer.h"

#include <algorithm>

#include <fmt/format.h>

#include "contra4/data/item.h"

namespace contra4::clients {

std::optional<Error> find_missing_text(const Question& question, std::string_view family) {
  const bool lacks_caption =
      std::any_of(question.scenes.begin(), question.scenes.end(),
                  [](const ShownScene& scene) { return scene.caption.empty(); });
  if (!question.text.empty() && !question.scenes.empty() && !lacks_caption) return std::nullopt;
  return Error{
      ErrorCode::kInvalidArgument,
      fmt::format("[{}] item '{}' lacks a question or a caption", family, question.item_id)};
}

void choose_scene(Answer& answer, std::size_t place) {
  answer.status = OutcomeStatus::kAnswered;
  answer.choice = static_cast<int>(place);
  answer.text = scene_name(*answer.choice);
}

}  // namespace contra4::clients
