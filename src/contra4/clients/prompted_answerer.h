// Answers questions with a model that reads messages and writes text.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "contra4/clients/prompts/prompt.h"
#include "contra4/inference/answerer.h"
#include "contra4/inference/text_generator.h"

namespace contra4::clients {

// The letter in a reply that was restricted to {"answer": LETTER}, also after a reasoning block; as
// an index into `choices`. Empty when the reply is nothing of the kind.
std::optional<int> parse_schema_choice(std::string_view text, std::span<const std::string> choices);

class PromptedAnswerer final : public Answerer {
 public:
  // `sampling`: see Prompt::sampling(); its seed is set per question.
  PromptedAnswerer(std::unique_ptr<TextGenerator> generator, Prompt prompt,
                   const Sampling& sampling, AnswerFormat format);

  // Log-probabilities and schemas decide `choice` here; a text is left for scoring to read.
  void run(const QuestionSource& source, const AnswerSink& sink, std::stop_token stop) override;
  InputNeed input_need() const override { return InputNeed::kEither; }
  std::string description_json() const override;

 private:
  GenerateRequest request_of(const Question& question) const;
  Answer answer_of(GenerateOutcome outcome, const std::vector<std::string>& choices) const;

  std::unique_ptr<TextGenerator> generator_;
  Prompt prompt_;
  Sampling sampling_;
  AnswerFormat format_;
};

// "text", "schema", "logprobs": the values of --answer.
std::string_view to_string(AnswerFormat format);
std::optional<AnswerFormat> parse_answer_format(std::string_view text);

}  // namespace contra4::clients
