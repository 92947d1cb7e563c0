// The family lexical/NAME: the scene whose caption shares most with the question, word by word.
#pragma once

#include <stop_token>
#include <string>

#include "contra4/inference/answerer.h"

namespace contra4::clients {

class Bm25Answerer final : public Answerer {
 public:
  // Equal scores are decided by question and captions, not by places: the answer is the same in
  // whichever order the scenes are shown. A question with a scene without caption fails.
  void run(const QuestionSource& source, const AnswerSink& sink, std::stop_token stop) override;
  InputNeed input_need() const override { return InputNeed::kCaptions; }
  std::string description_json() const override;
};

}  // namespace contra4::clients
