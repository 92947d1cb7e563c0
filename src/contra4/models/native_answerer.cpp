#include "contra4/models/native_answerer.h"

#include <utility>

namespace contra4::models {

NativeAnswerer::NativeAnswerer(std::unique_ptr<SceneModel> model, NativeModelOptions options)
    : model_(std::move(model)), options_(std::move(options)) {}

void NativeAnswerer::run(const QuestionSource& source, const AnswerSink& sink,
                         std::stop_token stop) {
  static_cast<void>(source);
  static_cast<void>(sink);
  static_cast<void>(stop);
}

std::string NativeAnswerer::description_json() const {
  return model_->description_json();
}

}  // namespace contra4::models
