// A native model as an Answerer: media are found, decoded on other threads, encoded once each, and
// questions are answered in batches.
#pragma once

#include <memory>
#include <stop_token>
#include <string>

#include "contra4/inference/answerer.h"
#include "contra4/inference/native_model.h"
#include "contra4/models/scene_model.h"

namespace contra4::models {

class NativeAnswerer final : public Answerer {
 public:
  NativeAnswerer(std::unique_ptr<SceneModel> model, NativeModelOptions options);

  void run(const QuestionSource& source, const AnswerSink& sink, std::stop_token stop) override;
  InputNeed input_need() const override { return InputNeed::kMedia; }
  std::string description_json() const override;

 private:
  std::unique_ptr<SceneModel> model_;
  NativeModelOptions options_;
};

}  // namespace contra4::models
