#include "contra4/models/onellm/model.h"

#include <algorithm>
#include <numeric>
#include <optional>

#include <ATen/ops/cat.h>
#include <c10/core/InferenceMode.h>
#include <fmt/format.h>

#include "contra4/base/error.h"
#include "contra4/models/language/generation.h"
#include "contra4/models/onellm/files.h"

namespace contra4::models::onellm {

namespace {

constexpr std::size_t kMaxScenes = 26;  // one letter each
// What the published position defect takes for the length of all scenes: the rows of one.
std::int64_t published_length(std::int64_t num_text_tokens, std::int64_t num_latents) {
  return num_text_tokens + num_latents;
}

std::string scene(std::size_t index) {
  return fmt::format("Scene {}", static_cast<char>('A' + index));
}

}  // namespace

struct Model::Asked {
  const SceneQuestion* question = nullptr;
  Prompt prompt;
  SceneAnswer answer;
};

Model::Model(tensor::Checkpoint checkpoint, const Sizes& sizes, text::SentencePiece tokenizer,
             ModelOptions options)
    : checkpoint_(std::move(checkpoint)),
      sizes_(sizes),
      tokenizer_(std::move(tokenizer)),
      options_(std::move(options)),
      encoder_(checkpoint_, sizes_, {.device = options_.devices.front(), .dtype = options_.dtype}),
      decoder_(checkpoint_, sizes_.language, meta_llama_names(std::string(kPrefix)),
               options_.devices, options_.dtype) {
  check_template(options_.prompt.prompt_template);
  check_tokenizer(tokenizer_, sizes_.language.vocabulary_size);
  const c10::InferenceMode no_gradients;
  const nn::Placement placement{.device = options_.devices.front(), .dtype = options_.dtype};
  const std::vector<std::int64_t> tag_shape = {1, 1, sizes_.language.width};
  for (const Modality modality : kModalities) {
    const auto tag = [&](const char* which) {
      return nn::load_weight(checkpoint_,
                             fmt::format("{}{}_tag.{}", kPrefix, which, name_of(modality)),
                             tag_shape, placement)
          .squeeze(0);
    };
    tags_.emplace(modality, Tags{.start = tag("start"), .end = tag("end")});
  }
  const std::vector<std::int64_t> begin = {tokenizer_.bos_id()};
  begin_row_ = decoder_.embed(begin);
  for (std::size_t i = 0; i < kMaxScenes; ++i) {
    label_rows_.push_back(decoder_.embed(tokenizer_.encode(scene(i) + ": ")));
    name_ids_.push_back(tokenizer_.encode(scene(i)));
  }
}

std::vector<SceneFeatures> Model::encode(Modality modality, std::span<const PreparedMedium> media) {
  const c10::InferenceMode no_gradients;
  const at::Tensor rows = encoder_.forward(modality, media);
  std::vector<SceneFeatures> features;
  // Copies: a medium alone would keep the rows of all.
  for (std::int64_t i = 0; i < rows.size(0); ++i) features.push_back({rows.select(0, i).clone()});
  return features;
}

SceneFeatures Model::place(SceneFeatures features) const {
  for (at::Tensor& tensor : features) tensor = tensor.to(options_.devices.front(), options_.dtype);
  return features;
}

Model::Asked Model::ask(const SceneQuestion& question) const {
  Asked asked;
  asked.question = &question;
  const std::size_t num_scenes = question.modalities.size();
  if (num_scenes == 0 || num_scenes > kMaxScenes || question.features.size() != num_scenes) {
    asked.answer.error =
        Error{ErrorCode::kInvalidArgument,
              fmt::format("{} scenes; 1 to {} have letters", num_scenes, kMaxScenes)};
    return asked;
  }
  asked.prompt = make_prompt(tokenizer_, question.text, num_scenes, options_.prompt);
  std::int64_t length = std::ssize(asked.prompt.ids);
  for (std::size_t i = 0; i < num_scenes; ++i) {
    length += label_rows_[i].size(0) + 2 + (*question.features[i])[0].size(0);
  }
  const std::int64_t new_tokens = std::max(
      options_.max_new_tokens, static_cast<std::int64_t>(name_ids_[num_scenes - 1].size()));
  if (length + new_tokens > sizes_.language.max_positions) {
    asked.answer.error = Error{
        ErrorCode::kInvalidArgument,
        fmt::format("the question takes {} positions with its scenes and {} for the answer; the "
                    "model has {}: shorten it, or bound its text",
                    length, new_tokens, sizes_.language.max_positions)};
    return asked;
  }
  asked.answer.prompt = asked.prompt.text;
  asked.answer.prompt_token_ids = asked.prompt.ids;
  asked.answer.sequence_length = length;
  return asked;
}

LlamaPrompt Model::lay_out(const SceneQuestion& question, std::span<const std::int64_t> text_ids,
                           std::int64_t num_logits, Numbers& numbers) const {
  LlamaPrompt prompt;
  const auto add = [&](at::Tensor rows, const void* medium, std::size_t place) {
    prompt.pieces.push_back(std::move(rows));
    prompt.numbers.push_back(numbers.try_emplace({medium, place}, numbers.size()).first->second);
  };
  for (std::size_t i = 0; i < question.features.size(); ++i) {
    const Tags& tags = tags_.at(question.modalities[i]);
    const at::Tensor& rows = (*question.features[i])[0];
    std::vector<at::Tensor> parts = {label_rows_[i], tags.start, rows, tags.end};
    if (i == 0) parts.insert(parts.begin(), begin_row_);
    // The same rows as two modalities differ in their tags.
    add(at::cat(parts), question.features[i],
        i * kModalities.size() + static_cast<std::size_t>(question.modalities[i]));
  }
  add(decoder_.embed(text_ids), nullptr, 0);
  prompt.num_logits = num_logits;
  return prompt;
}

std::vector<SceneAnswer> Model::answer(std::span<const SceneQuestion> questions) {
  const c10::InferenceMode no_gradients;
  std::vector<SceneAnswer> answers(questions.size());
  std::vector<Asked> asked;
  std::vector<std::size_t> places;
  for (std::size_t i = 0; i < questions.size(); ++i) {
    Asked one = ask(questions[i]);
    if (one.answer.error) {
      answers[i] = std::move(one.answer);
      continue;
    }
    asked.push_back(std::move(one));
    places.push_back(i);
  }
  if (!asked.empty()) {
    if (options_.chooses_by_logprobs) {
      answer_by_logprobs(asked);
    } else {
      answer_by_text(asked);
    }
  }
  for (std::size_t i = 0; i < asked.size(); ++i) answers[places[i]] = std::move(asked[i].answer);
  return answers;
}

void Model::answer_by_text(std::span<Asked> asked) const {
  Numbers numbers;
  std::vector<LlamaPrompt> prompts;
  for (const Asked& one : asked) {
    prompts.push_back(lay_out(*one.question, std::span(one.prompt.ids).subspan(1), 1, numbers));
  }
  LlamaDecoding decoding(decoder_, prompts, options_.max_new_tokens);
  if (options_.is_compat) {
    for (std::size_t i = 0; i < asked.size(); ++i) {
      decoding.forget(i, published_length(std::ssize(asked[i].prompt.ids), sizes_.num_latents));
    }
  }
  GreedyOptions greedy{.max_new_tokens = options_.max_new_tokens, .end_id = std::nullopt};
  if (!options_.is_compat) greedy.end_id = tokenizer_.eos_id();
  auto said = decode_greedily(decoding.prompt_logits(), decoding, greedy);
  for (std::size_t i = 0; i < asked.size(); ++i) {
    asked[i].answer.decoded = decode_after(tokenizer_, asked[i].prompt, said[i]);
    asked[i].answer.text = strip_reply(asked[i].answer.decoded, options_.is_compat);
    asked[i].answer.token_ids = std::move(said[i]);
  }
}

// One pass over the prompt and the words all names begin with: no token has to be decoded.
void Model::answer_by_logprobs(std::span<Asked> asked) const {
  Numbers numbers;
  std::vector<LlamaPrompt> prompts;
  std::vector<AskedStem> stems;
  for (std::size_t i = 0; i < asked.size(); ++i) {
    const std::size_t num_scenes = asked[i].question->modalities.size();
    for (Stem& stem : plan_stems(std::span(name_ids_).first(num_scenes))) {
      std::vector<std::int64_t> ids(asked[i].prompt.ids.begin() + 1, asked[i].prompt.ids.end());
      ids.insert(ids.end(), stem.tokens.begin(), stem.tokens.end());
      prompts.push_back(lay_out(*asked[i].question, ids, std::ssize(stem.tokens) + 1, numbers));
      stems.push_back({.question = i, .stem = std::move(stem)});
    }
  }
  const LlamaDecoding decoding(decoder_, prompts, 0);
  auto scores = continuation_scores(decoding.prompt_logits(), stems, asked.size());
  for (std::size_t i = 0; i < asked.size(); ++i) asked[i].answer.scores = std::move(scores[i]);
  for (Asked& one : asked) {
    const std::span names = std::span(name_ids_).first(one.answer.scores.size());
    const std::size_t best = most_likely(one.answer.scores, names);
    one.answer.choice = static_cast<int>(best);
    one.answer.text = scene(best);
    one.answer.decoded = one.answer.text;
    one.answer.token_ids = name_ids_[best];
  }
}

at::Tensor Model::first_logits(const SceneQuestion& question) {
  const c10::InferenceMode no_gradients;
  const Asked asked = ask(question);
  if (asked.answer.error) throw Exception(*asked.answer.error);
  Numbers numbers;
  const std::vector<LlamaPrompt> prompts = {
      lay_out(question, std::span(asked.prompt.ids).subspan(1), 1, numbers)};
  return LlamaDecoding(decoder_, prompts, 0).prompt_logits().squeeze(0);
}

std::size_t Model::encode_batch_size(Modality modality) const {
  return onellm::encode_batch_size(modality, options_.devices.front());
}

std::size_t Model::answer_batch_size() const {
  return options_.devices.front().is_cpu() ? 16 : 48;
}

}  // namespace contra4::models::onellm
