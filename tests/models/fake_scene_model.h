// A SceneModel without weights: a medium's features are the bytes of its file, an answer tells what
// it was shown. It counts what it is asked to do and checks that nobody asks from two sides.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <ATen/ops/empty.h>
#include <fmt/format.h>

#include "contra4/base/error.h"
#include "contra4/models/scene_model.h"

namespace contra4::models {

// What a test looks at afterwards and sets before; outlives the model.
struct FakeSceneModelState {
  std::size_t encode_batch = 3;
  std::size_t answer_batch = 4;
  std::string key = "fake 1";
  // Called by answer() before it answers.
  std::function<void()> before_answer;

  std::mutex mutex;
  std::map<std::string, int> num_prepared;  // by content
  std::map<std::string, int> num_encoded;
  std::size_t largest_encode_batch = 0;
  std::size_t largest_answer_batch = 0;
  std::size_t num_placed = 0;
  std::atomic<int> num_inside = 0;  // of encode() and answer()
};

class FakeSceneModel final : public SceneModel {
 public:
  explicit FakeSceneModel(FakeSceneModelState& state) : state_(state) {}

  Result<PreparedMedium> prepare(Modality, std::string_view bytes,
                                 std::string_view name) const override {
    {
      const std::lock_guard lock(state_.mutex);
      ++state_.num_prepared[std::string(bytes)];
    }
    if (bytes.starts_with("broken")) {
      return Error{ErrorCode::kDataLoss, fmt::format("{}: cut short", name)};
    }
    if (bytes.starts_with("bug")) throw Exception(ErrorCode::kInternal, "a mistake in preparing");
    at::Tensor tensor = at::empty({static_cast<std::int64_t>(bytes.size())}, at::kLong);
    std::copy(bytes.begin(), bytes.end(), tensor.mutable_data_ptr<std::int64_t>());
    return PreparedMedium{tensor};
  }

  std::vector<SceneFeatures> encode(Modality, std::span<const PreparedMedium> media) override {
    const Inside inside(state_);
    state_.largest_encode_batch = std::max(state_.largest_encode_batch, media.size());
    std::vector<SceneFeatures> features;
    for (const PreparedMedium& medium : media) {
      const std::lock_guard lock(state_.mutex);
      ++state_.num_encoded[text_of(medium)];
      features.push_back(medium);
    }
    return features;
  }

  SceneFeatures place(SceneFeatures features) const override {
    ++state_.num_placed;
    return features;
  }

  std::vector<SceneAnswer> answer(std::span<const SceneQuestion> questions) override {
    const Inside inside(state_);
    if (state_.before_answer) state_.before_answer();
    state_.largest_answer_batch = std::max(state_.largest_answer_batch, questions.size());
    std::vector<SceneAnswer> answers;
    for (const SceneQuestion& question : questions) {
      SceneAnswer& answer = answers.emplace_back();
      if (question.text == "too long") {
        answer.error = Error{ErrorCode::kInvalidArgument, "the question is too long"};
        continue;
      }
      answer.text = std::string(question.text);
      for (std::size_t i = 0; i < question.features.size(); ++i) {
        answer.text += fmt::format("|{}={}", to_string(question.modalities[i]),
                                   text_of(*question.features[i]));
      }
      answer.choice = 1;
      answer.scores = {-2, -1};
      answer.decoded = answer.text + "\n##";
      answer.prompt = "prompt";
      answer.prompt_token_ids = {1, 2, 3};
      answer.token_ids = {7, 8};
      answer.sequence_length = 77;
    }
    return answers;
  }

  std::size_t encode_batch_size(Modality) const override { return state_.encode_batch; }
  std::size_t answer_batch_size() const override { return state_.answer_batch; }
  std::string feature_key() const override { return state_.key; }
  std::string description_json() const override { return R"({"model": "fake"})"; }

 private:
  struct Inside {
    explicit Inside(FakeSceneModelState& state) : state_(state) {
      CONTRA4_CHECK(state_.num_inside.fetch_add(1) == 0, "two threads in one model");
    }
    ~Inside() { --state_.num_inside; }
    FakeSceneModelState& state_;
  };

  static std::string text_of(const std::vector<at::Tensor>& tensors) {
    std::string text;
    const std::int64_t* const values = tensors.at(0).const_data_ptr<std::int64_t>();
    for (std::int64_t i = 0; i < tensors.at(0).numel(); ++i) {
      text += static_cast<char>(values[i]);
    }
    return text;
  }

  FakeSceneModelState& state_;
};

}  // namespace contra4::models
