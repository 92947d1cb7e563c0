// Questions by hand, and a run of an answerer over them.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "contra4/inference/answerer.h"

namespace contra4::clients {

inline Question make_question(std::uint64_t ticket, int num_scenes = 2) {
  Question question;
  question.ticket = ticket;
  question.item_id = "item" + std::to_string(ticket);
  question.text = "Which scene is louder?";
  for (int i = 0; i < num_scenes; ++i) {
    ShownScene scene;
    scene.modality = i % 2 == 0 ? Modality::kAudio : Modality::kImage;
    scene.source = "test";
    scene.id = {std::to_string(i), false};
    scene.caption = "caption " + std::to_string(i);
    question.scenes.push_back(scene);
  }
  question.seed = ticket;
  return question;
}

inline QuestionSource questions_from(std::vector<Question> questions) {
  return [questions = std::move(questions), next = std::size_t{0}]() mutable {
    return next < questions.size() ? std::optional(questions[next++]) : std::nullopt;
  };
}

inline QuestionSource count_questions(std::uint64_t count) {
  std::vector<Question> questions;
  for (std::uint64_t ticket = 0; ticket < count; ++ticket) {
    questions.push_back(make_question(ticket));
  }
  return questions_from(std::move(questions));
}

// By ticket; a ticket answered twice is told by `duplicates`.
struct Answers {
  std::map<std::uint64_t, Answer> by_ticket;
  int duplicates = 0;

  AnswerSink sink() {
    return [this](Answer answer) {
      const std::uint64_t ticket = answer.ticket;
      if (!by_ticket.emplace(ticket, std::move(answer)).second) ++duplicates;
    };
  }
  int count(OutcomeStatus status) const {
    int count = 0;
    for (const auto& [ticket, answer] : by_ticket) count += answer.status == status ? 1 : 0;
    return count;
  }
};

inline Answers run_all(Answerer& answerer, const QuestionSource& source) {
  Answers answers;
  answerer.run(source, answers.sink(), {});
  return answers;
}

}  // namespace contra4::clients
