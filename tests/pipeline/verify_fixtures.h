// Questions on disk and models by script for the tests of verify.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "contra4/base/hash.h"
#include "contra4/data/item_writer.h"
#include "contra4/inference/answerer.h"
#include "contra4/io/file.h"
#include "contra4/pipeline/verify.h"
#include "contra4/scoring/scene_orders.h"
#include "tests/support/shuffled_questions.h"

namespace contra4::pipeline::testing {

// Item i has 2 + i % 3 scenes, its answer goes round the places, its captions are lists of two.
inline std::vector<Item> make_items(int count) {
  std::vector<Item> items;
  for (int i = 0; i < count; ++i) {
    Item item;
    item.id.text = fmt::format("random_{}", i);
    item.question = fmt::format("Which scene is number {}?", i);
    const int n = 2 + i % 3;
    for (int k = 0; k < n; ++k) {
      Scene scene;
      scene.modality = kModalities[static_cast<std::size_t>((i + k) % 4)];
      scene.source = fmt::format("source_{}", k);
      scene.id = {fmt::format("{}", 100 * i + k), k % 2 == 0};
      scene.captions = {fmt::format("thing {} of {}", k, i), "another caption"};
      scene.captions_were_list = true;
      scene.extra = {{"meta", "{}"}};
      item.scenes.push_back(std::move(scene));
    }
    item.answer = i % n;
    item.answer_text = scene_name(i % n) + ". It is the one.";
    item.selection_type = "random";
    item.q_type = fmt::format("mc_{}", n);
    items.push_back(std::move(item));
  }
  return items;
}

inline void write_questions(const std::filesystem::path& path, const std::vector<Item>& items) {
  std::filesystem::create_directories(path.parent_path());
  const auto writer = data::create_items(path, data::Schema::kGenerated);
  for (const Item& item : items) writer->write(item);
  writer->commit();
}

inline VerifyOptions options_in(const std::filesystem::path& folder) {
  VerifyOptions options;
  options.files.folder = folder;
  options.questions = options.files.answered();
  return options;
}

// The scene that stands at a place, from the question's own letters.
inline int scene_at(const Question& question, int place) {
  return question.order[static_cast<std::size_t>(place)] - 'A';
}
inline int place_of(const Question& question, int scene) {
  return static_cast<int>(question.order.find(scene_letter(scene)));
}

inline Answer say(std::string text) {
  Answer answer;
  answer.status = OutcomeStatus::kAnswered;
  answer.text = std::move(text);
  return answer;
}

inline Answer no_reply(std::string why) {
  Answer answer;
  answer.error = {ErrorCode::kUnavailable, std::move(why)};
  return answer;
}

inline std::string key_of(const Question& question) {
  return question.item_id + " " + question.order;
}

// Answers by script, up to `window` at a time, in a shuffled order.
class ScriptedModel final : public Answerer {
 public:
  using Script = std::function<Answer(const Question&)>;
  explicit ScriptedModel(Script script) : script_(std::move(script)) {}

  void run(const QuestionSource& source, const AnswerSink& sink, std::stop_token stop) override {
    ++num_runs;
    const contra4::testing::Shuffle shuffle{.window = window, .seed = shuffle_seed++};
    contra4::testing::for_each_shuffled(source, stop, shuffle, [&](const Question& question) {
      Answer answer = script_(question);
      answer.ticket = question.ticket;
      if (answer.status != OutcomeStatus::kFailed) answered.push_back(key_of(question));
      sink(std::move(answer));
      if (on_answer) on_answer();
    });
  }
  InputNeed input_need() const override { return InputNeed::kCaptions; }
  std::string description_json() const override { return R"({"family": "script"})"; }

  std::size_t window = 5;
  std::uint64_t shuffle_seed = 1;
  int num_runs = 0;
  std::function<void()> on_answer;
  std::vector<std::string> answered;  // keys, in the order of the replies

 private:
  Script script_;
};

// A reply that model, item and order decide: mostly right, sometimes another scene, words or a
// refusal. `right_in_1000` of the orders are right.
inline Answer noisy_reply(const std::string& model, const Question& question, int answer,
                          std::uint64_t right_in_1000) {
  const std::uint64_t hash = stable_hash64(model + " " + key_of(question));
  if (hash % 1000 < right_in_1000) {
    return say(fmt::format("Scene {}. So it is", scene_letter(place_of(question, answer))));
  }
  if (hash % 7 == 0) return say("I cannot tell.\nNone \"fits\" \x01 ü");
  if (hash % 11 == 0) {
    Answer refusal;
    refusal.status = OutcomeStatus::kBlocked;
    refusal.error = {ErrorCode::kInvalidArgument, "blocked for safety"};
    return refusal;
  }
  const auto other = hash / 1000 % question.scenes.size();
  return say(scene_name(static_cast<int>(other)));
}

inline int answer_of(const Question& question) {
  const int number = std::stoi(question.item_id.substr(question.item_id.find('_') + 1));
  return number % static_cast<int>(question.scenes.size());
}

inline ScriptedModel noisy_model(const std::string& name, std::uint64_t right_in_1000 = 900) {
  return ScriptedModel([name, right_in_1000](const Question& question) {
    return noisy_reply(name, question, answer_of(question), right_in_1000);
  });
}

// Opens the step and runs it.
inline StepOutcome run_verify(const VerifyOptions& options, const std::vector<VerifyModel>& models,
                              std::stop_token stop = {},
                              WhenChanged when_changed = WhenChanged::kRefuse,
                              const StepProgressCallback& progress = {}) {
  Stage stage = open_verify(options, models, when_changed);
  if (stage.is_done()) {
    StepOutcome outcome;
    outcome.counts = stage.manifest().counts;
    outcome.notes = stage.manifest().notes;
    return outcome;
  }
  return verify(stage, options, models, progress, stop);
}

inline std::int64_t count_of(const StepOutcome& outcome, std::string_view name) {
  for (const auto& [known, count] : outcome.counts) {
    if (known == name) return count;
  }
  return -1;
}

}  // namespace contra4::pipeline::testing
