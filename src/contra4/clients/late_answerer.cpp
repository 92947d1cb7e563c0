#include "contra4/clients/late_answerer.h"

#include "contra4/base/error.h"

namespace contra4::clients {

Answerer& LateAnswerer::opened() const {
  if (!answerer_) {
    answerer_ = open_();
    CONTRA4_CHECK(answerer_ && answerer_->input_need() == need_, "another answerer than announced");
  }
  return *answerer_;
}

void LateAnswerer::run(const QuestionSource& source, const AnswerSink& sink, std::stop_token stop) {
  opened().run(source, sink, std::move(stop));
}

std::string LateAnswerer::description_json() const {
  return opened().description_json();
}

}  // namespace contra4::clients
