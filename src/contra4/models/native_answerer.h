// A native model as an Answerer: media are read and prepared on other threads while the model
// computes, encoded once each, and questions are answered in batches.
#pragma once

#include <cstdint>
#include <memory>
#include <stop_token>
#include <string>

#include "contra4/inference/answerer.h"
#include "contra4/inference/native_model.h"
#include "contra4/models/scene_model.h"

namespace contra4::models {

class NativeAnswerer final : public Answerer {
 public:
  // Of the options: threads, decoders, batch size and feature store. `max_feature_bytes`: see
  // scene_media.h. Throws kInvalidArgument for negative numbers.
  NativeAnswerer(std::unique_ptr<SceneModel> model, NativeModelOptions options,
                 std::uint64_t max_feature_bytes = 3ULL << 30);

  // A medium that cannot be read or decoded fails its questions, with the error of its file. After
  // a stop is asked for it ends with the batch that is being computed and the files that are being
  // decoded. An answer's latency is that of the batch it was computed in.
  void run(const QuestionSource& source, const AnswerSink& sink, std::stop_token stop) override;
  InputNeed input_need() const override { return InputNeed::kMedia; }
  std::string description_json() const override;

 private:
  std::unique_ptr<SceneModel> model_;
  NativeModelOptions options_;
  std::uint64_t max_feature_bytes_;
};

}  // namespace contra4::models
