#include "contra4/models/native_answerer.h"

#include <algorithm>
#include <chrono>
#include <deque>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include <c10/util/Exception.h>
#include <fmt/format.h>

#include "contra4/base/error.h"
#include "contra4/models/feature_store.h"
#include "contra4/models/scene_media.h"
#include "contra4/tensor/thread_count.h"

namespace contra4::models {

namespace {

// Questions that wait for their media, besides four batches: enough to keep the decoders busy.
constexpr std::size_t kWaitingQuestions = 64;

struct Waiting {
  Question question;
  std::vector<SceneMedia::Medium*> media;  // one per scene
  // One per scene; null: not there yet. Held until the answer, so that nothing takes them away.
  std::vector<std::shared_ptr<const SceneFeatures>> features;
};

Answer failed(const Question& question, Error error) {
  Answer answer;
  answer.ticket = question.ticket;
  answer.status = OutcomeStatus::kFailed;
  answer.error = std::move(error);
  return answer;
}

Answer answer_of(const Question& question, SceneAnswer given, double latency_s) {
  if (given.error) return failed(question, std::move(*given.error));
  Answer answer;
  answer.ticket = question.ticket;
  answer.status = OutcomeStatus::kAnswered;
  answer.text = std::move(given.text);
  answer.choice = given.choice;
  answer.scores = std::move(given.scores);
  answer.usage = {.prompt_tokens = given.sequence_length,
                  .completion_tokens = static_cast<std::int64_t>(given.token_ids.size())};
  answer.latency_s = latency_s;
  answer.trace = AnswerTrace{.prompt = std::move(given.prompt),
                             .prompt_token_ids = std::move(given.prompt_token_ids),
                             .token_ids = std::move(given.token_ids),
                             .sequence_length = given.sequence_length,
                             .decoded = std::move(given.decoded)};
  return answer;
}

// One call of run(). Everything happens on its thread but what SceneMedia gives to others.
class Run {
 public:
  Run(SceneModel& model, SceneMedia& media, std::size_t batch_size, const QuestionSource& source,
      const AnswerSink& sink)
      : model_(model),
        media_(media),
        batch_size_(std::max<std::size_t>(1, batch_size)),
        source_(source),
        sink_(sink) {}

  void work(const std::stop_token& stop) {
    while (!stop.stop_requested()) {
      pull();
      media_.collect();
      settle();
      media_.trim();
      // Whole batches first. A part of one is better than waiting: meanwhile the decoders go on,
      // so that where they are too slow the batches are small and where the model is, full.
      const bool is_full = ready_.size() >= batch_size_;
      if (!is_full && (media_.encode(true) || media_.encode(false))) continue;
      if (!ready_.empty()) {
        answer_batch();
      } else if (waiting_.empty() && is_exhausted_) {
        break;
      } else {
        media_.wait(stop);
      }
    }
    media_.finish(stop);
  }

 private:
  bool has_room() const {
    return !is_exhausted_ && media_.has_room() &&
           waiting_.size() + ready_.size() < 4 * batch_size_ + kWaitingQuestions;
  }

  void pull() {
    while (has_room()) {
      std::optional<Question> question = source_();
      if (!question) {
        is_exhausted_ = true;
        return;
      }
      Waiting waiting;
      waiting.question = std::move(*question);
      const auto& scenes = waiting.question.scenes;
      const auto bare = std::find_if(scenes.begin(), scenes.end(),
                                     [](const ShownScene& scene) { return scene.media.empty(); });
      if (bare != scenes.end()) {
        const auto place = static_cast<int>(bare - scenes.begin());
        sink_(failed(waiting.question, {ErrorCode::kInvalidArgument,
                                        fmt::format("{} has no file: a native model is shown media",
                                                    scene_name(place))}));
        continue;
      }
      for (const ShownScene& scene : scenes) {
        waiting.media.push_back(media_.want(scene.modality, scene.media));
      }
      waiting.features.resize(scenes.size());
      waiting_.push_back(std::move(waiting));
    }
  }

  // Moves the questions whose media are there to the ready ones, and reports those that fail.
  void settle() {
    std::deque<Waiting> rest;
    for (Waiting& waiting : waiting_) {
      bool is_ready = true;
      std::optional<Error> error;
      for (std::size_t i = 0; i < waiting.media.size() && !error; ++i) {
        if (waiting.features[i]) continue;
        auto features = media_.features_of(waiting.media[i]);
        if (!features) {
          is_ready = false;
        } else if (*features) {
          waiting.features[i] = std::move(**features);
        } else {
          error = features->error();
        }
      }
      if (error) {
        sink_(failed(waiting.question, std::move(*error)));
      } else {
        (is_ready ? ready_ : rest).push_back(std::move(waiting));
      }
    }
    waiting_ = std::move(rest);
  }

  void answer_batch() {
    const std::size_t count = std::min(ready_.size(), batch_size_);
    std::vector<SceneQuestion> questions;
    for (std::size_t i = 0; i < count; ++i) {
      const Waiting& ready = ready_[i];
      SceneQuestion& question = questions.emplace_back();
      question.text = ready.question.text;
      for (std::size_t scene = 0; scene < ready.features.size(); ++scene) {
        question.modalities.push_back(ready.question.scenes[scene].modality);
        question.features.push_back(ready.features[scene].get());
      }
    }
    const auto start = std::chrono::steady_clock::now();
    std::vector<SceneAnswer> answers = model_.answer(questions);
    const std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - start;
    CONTRA4_CHECK(answers.size() == count, "an answer to each question");
    for (std::size_t i = 0; i < count; ++i) {
      const Waiting ready = std::move(ready_.front());
      ready_.pop_front();
      sink_(answer_of(ready.question, std::move(answers[i]), elapsed.count()));
    }
  }

  SceneModel& model_;
  SceneMedia& media_;
  std::size_t batch_size_;
  const QuestionSource& source_;
  const AnswerSink& sink_;
  bool is_exhausted_ = false;
  std::deque<Waiting> waiting_;
  std::deque<Waiting> ready_;
};

}  // namespace

NativeAnswerer::NativeAnswerer(std::unique_ptr<SceneModel> model, NativeModelOptions options,
                               std::uint64_t max_feature_bytes)
    : model_(std::move(model)),
      options_(std::move(options)),
      max_feature_bytes_(max_feature_bytes) {
  if (options_.batch_size < 0) {
    throw Exception(ErrorCode::kInvalidArgument,
                    fmt::format("a batch of {} questions", options_.batch_size));
  }
  options_.num_threads = tensor::resolve_num_threads(options_.num_threads);
  options_.num_decoders = resolve_num_decoders(options_.num_decoders, options_.num_threads);
}

void NativeAnswerer::run(const QuestionSource& source, const AnswerSink& sink,
                         std::stop_token stop) {
  const tensor::OpThreads threads(options_.num_threads);
  std::optional<FeatureStore> store;
  if (!options_.feature_store.empty()) {
    store.emplace(options_.feature_store, model_->feature_key());
  }
  SceneMedia media(*model_, store ? &*store : nullptr,
                   {.num_threads = options_.num_decoders,
                    .max_feature_bytes = max_feature_bytes_,
                    .max_under_way = default_under_way(*model_, options_.num_decoders)});
  const std::size_t batch_size = options_.batch_size > 0
                                     ? static_cast<std::size_t>(options_.batch_size)
                                     : model_->answer_batch_size();
  try {
    Run(*model_, media, batch_size, source, sink).work(stop);
  } catch (const c10::OutOfMemoryError& error) {
    throw Exception(ErrorCode::kResourceExhausted,
                    fmt::format("{}\na smaller --batch-size needs less memory",
                                error.what_without_backtrace()));
  } catch (const c10::Error& error) {  // what() has a page of addresses
    throw Exception(ErrorCode::kInternal, error.what_without_backtrace());
  }
}

std::string NativeAnswerer::description_json() const {
  return model_->description_json();
}

}  // namespace contra4::models
