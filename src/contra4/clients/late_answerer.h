// An answerer that is opened when it is needed: a native model's weights are gigabytes, and what is
// wrong with data, media and flags is to be said before.
#pragma once

#include <functional>
#include <memory>
#include <stop_token>
#include <string>
#include <utility>

#include "contra4/inference/answerer.h"

namespace contra4::clients {

class LateAnswerer final : public Answerer {
 public:
  // `open` is called once, by the first run() or description_json(), and makes what has `need`.
  LateAnswerer(std::function<std::unique_ptr<Answerer>()> open, InputNeed need)
      : open_(std::move(open)), need_(need) {}

  void run(const QuestionSource& source, const AnswerSink& sink, std::stop_token stop) override;
  InputNeed input_need() const override { return need_; }
  std::string description_json() const override;

 private:
  Answerer& opened() const;
  std::function<std::unique_ptr<Answerer>()> open_;
  InputNeed need_;
  mutable std::unique_ptr<Answerer> answerer_;
};

}  // namespace contra4::clients
