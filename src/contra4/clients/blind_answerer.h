// The family blind/RULE: rules that look at no medium, asked as any model.
#pragma once

#include <memory>
#include <stop_token>
#include <string>

#include "contra4/inference/answerer.h"
#include "contra4/scoring/blind_rules.h"

namespace contra4::clients {

class BlindAnswerer final : public Answerer {
 public:
  explicit BlindAnswerer(std::unique_ptr<scoring::BlindRule> rule);

  // A question for which the rule has no answer (always-D over two scenes) is answered with an
  // empty text; one without captions where the rule needs them fails.
  void run(const QuestionSource& source, const AnswerSink& sink, std::stop_token stop) override;
  InputNeed input_need() const override;
  std::string description_json() const override;

 private:
  std::unique_ptr<scoring::BlindRule> rule_;
};

}  // namespace contra4::clients
