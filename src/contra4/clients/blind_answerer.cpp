#include "contra4/clients/blind_answerer.h"

#include <algorithm>
#include <utility>
#include <vector>

#include <fmt/format.h>

namespace contra4::clients {

BlindAnswerer::BlindAnswerer(std::unique_ptr<scoring::BlindRule> rule) : rule_(std::move(rule)) {}

void BlindAnswerer::run(const QuestionSource& source, const AnswerSink& sink,
                        std::stop_token stop) {
  while (!stop.stop_requested()) {
    const std::optional<Question> question = source();
    if (!question) return;
    Answer answer;
    answer.ticket = question->ticket;
    std::vector<scoring::SceneView> scenes;
    for (const ShownScene& scene : question->scenes) {
      scenes.push_back({scene.modality, scene.caption});
    }
    const bool lacks_caption = std::any_of(scenes.begin(), scenes.end(),
                                           [](const auto& scene) { return scene.caption.empty(); });
    if (rule_->needs_captions() && lacks_caption) {
      answer.error = {
          ErrorCode::kInvalidArgument,
          fmt::format("[blind] item '{}' has a scene without a caption", question->item_id)};
    } else {
      answer.status = OutcomeStatus::kAnswered;
      answer.choice = rule_->choose(scenes, question->seed);
      if (answer.choice) answer.text = scene_name(*answer.choice);
    }
    sink(std::move(answer));
  }
}

InputNeed BlindAnswerer::input_need() const {
  return rule_->needs_captions() ? InputNeed::kCaptions : InputNeed::kNothing;
}

std::string BlindAnswerer::description_json() const {
  return rule_->description_json();
}

}  // namespace contra4::clients
