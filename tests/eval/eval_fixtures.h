// Items and an answerer by script for the tests of this room.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "contra4/data/item_reader.h"
#include "contra4/inference/answerer.h"
#include "tests/support/shuffled_questions.h"

namespace contra4::eval::testing {

inline Scene make_scene(Modality modality, const std::string& id) {
  Scene scene;
  scene.modality = modality;
  scene.source = fmt::format("{}_src", to_string(modality));
  scene.id.text = id;
  scene.captions = {fmt::format("a {} called {}", to_string(modality), id)};
  return scene;
}

// Item i has 2 + i % 3 scenes of different modalities; every fourth shares its first medium with
// the item before. Answers go round the places.
inline data::Dataset make_dataset(int num_items) {
  data::Dataset dataset;
  dataset.name = "made-up";
  dataset.sha256 = std::string(64, 'a');
  for (int i = 0; i < num_items; ++i) {
    Item item;
    item.id.text = fmt::format("item_{}", i);
    item.question = fmt::format("Which scene is number {}?", i);
    const int n = 2 + i % 3;
    for (int k = 0; k < n; ++k) {
      const auto modality = kModalities[static_cast<std::size_t>((i + k) % 4)];
      item.scenes.push_back(make_scene(modality, fmt::format("m{}_{}", i, k)));
    }
    if (i > 0 && i % 4 == 0) item.scenes[0] = dataset.items.back().scenes[0];
    item.answer = i % n;
    item.answer_text = std::string(1, scene_letter(i % n));
    item.selection_type = i % 2 == 0 ? "random" : "similarity";
    item.q_type = fmt::format("mc_{}", n);
    item.category = i % 5 == 0 ? "Motion" : "Objects";
    dataset.items.push_back(std::move(item));
  }
  return dataset;
}

// Thrown in the place of a kill.
struct Killed {};

// Asks for up to `window` questions at a time and answers them in a shuffled order.
class ScriptedAnswerer final : public Answerer {
 public:
  using Script = std::function<Answer(const Question&, int times_asked)>;

  explicit ScriptedAnswerer(Script script) : script_(std::move(script)) {}

  void run(const QuestionSource& source, const AnswerSink& sink, std::stop_token stop) override {
    const QuestionSource noted_source = [&] {
      auto question = source();
      if (question) asked.push_back(key_of(*question));
      return question;
    };
    const contra4::testing::Shuffle shuffle{.window = window, .seed = shuffle_seed};
    contra4::testing::for_each_shuffled(noted_source, stop, shuffle, [&](const Question& question) {
      Answer answer = script_(question, ++times_asked_[key_of(question)]);
      answer.ticket = question.ticket;
      sink(std::move(answer));
      if (++answered == kill_after) throw Killed{};
      if (on_answer) on_answer(answered);
    });
  }
  InputNeed input_need() const override { return InputNeed::kEither; }
  std::string description_json() const override { return R"({"family": "script"})"; }

  // "item_3 BA": the letters of the captions shown tell the order.
  static std::string key_of(const Question& question) {
    std::string key = question.item_id;
    for (const ShownScene& scene : question.scenes) key += " " + scene.id.text;
    return key;
  }

  std::size_t window = 5;
  std::uint64_t shuffle_seed = 1;
  int kill_after = -1;
  std::function<void(int)> on_answer;
  int answered = 0;
  std::vector<std::string> asked;

 private:
  Script script_;
  std::map<std::string, int> times_asked_;
};

inline Answer say(std::string text) {
  Answer answer;
  answer.status = OutcomeStatus::kAnswered;
  answer.text = std::move(text);
  answer.raw_reply = "{\"raw\": \"" + std::string(300, 'r') + "\"}";
  answer.latency_s = 0.25;
  answer.usage = {120, 7};
  answer.endpoint = "http://host/v1";
  return answer;
}

inline Answer fail_with(OutcomeStatus status, ErrorCode code, std::string message) {
  Answer answer;
  answer.status = status;
  answer.error = {code, std::move(message)};
  return answer;
}

}  // namespace contra4::eval::testing
