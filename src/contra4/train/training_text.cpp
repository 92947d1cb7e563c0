#include "contra4/train/training_text.h"

#include <algorithm>
#include <optional>

#include <fmt/format.h>

#include "contra4/models/onellm/prompt.h"

namespace contra4::train {

namespace {

namespace onellm = models::onellm;

constexpr std::int64_t kPublishedMaxWords = 180;

void check_tokenizer(const text::SentencePiece& tokenizer) {
  if (tokenizer.bos_id() >= 0 && tokenizer.eos_id() >= 0) return;
  throw Exception(ErrorCode::kInvalidArgument,
                  "the tokenizer has no begin or no end token; name the model's tokenizer.model");
}

// What the bound leaves for the text of so many scenes.
std::int64_t text_budget(const text::SentencePiece& tokenizer, int num_scenes,
                         std::int64_t max_words, std::int64_t image_words) {
  std::int64_t budget = max_words - image_words * num_scenes;
  for (int i = 0; i < num_scenes; ++i) {
    budget -= std::ssize(tokenizer.encode(scene_name(i) + ": "));
  }
  return budget;
}

// The only letter of A to D that `stands` is true for.
template <class Stands>
std::optional<int> only_scene(const Stands& stands) {
  std::optional<int> found;
  for (int i = 0; i < kMaxScenes; ++i) {
    if (!stands(i)) continue;
    if (found) return std::nullopt;
    found = i;
  }
  return found;
}

Result<TrainingText> published_text(const text::SentencePiece& tokenizer, const Item& item,
                                    const TrainingTextOptions& options) {
  TrainingText text;
  text.num_scenes = item.num_scenes();
  const std::int64_t max_words = options.max_words == 0 ? kPublishedMaxWords : options.max_words;
  const std::int64_t budget =
      text_budget(tokenizer, text.num_scenes, max_words, options.image_words);
  if (budget < 1) {
    return Error{ErrorCode::kInvalidArgument,
                 fmt::format("{} scenes take all of the {} tokens that are allowed; none is left "
                             "for the question",
                             text.num_scenes, max_words)};
  }
  const std::string answer = published_answer(item.answer_text);
  const std::string choices = onellm::choices_text(static_cast<std::size_t>(text.num_scenes));
  text.ids = tokenizer.encode(fmt::format("{} Choose from: {} {}", item.question, choices, answer));
  text.ids.insert(text.ids.begin(), tokenizer.bos_id());
  text.ids.push_back(tokenizer.eos_id());
  text.labels.assign(text.ids.size(), false);

  const std::vector<std::int64_t> answer_ids = tokenizer.encode(answer);
  const auto hit =
      std::search(text.ids.begin(), text.ids.end(), answer_ids.begin(), answer_ids.end());
  if (hit != text.ids.end()) {
    std::fill_n(text.labels.begin() + (hit - text.ids.begin()), answer_ids.size(), true);
  }
  if (std::ssize(text.ids) > budget) {
    text.ids.resize(static_cast<std::size_t>(budget));
    text.labels.resize(static_cast<std::size_t>(budget));
  }
  return text;
}

Result<TrainingText> evaluated_text(const text::SentencePiece& tokenizer, const Item& item,
                                    const TrainingTextOptions& options) {
  TrainingText text;
  text.num_scenes = item.num_scenes();
  if (!item.answer || *item.answer < 0 || *item.answer >= text.num_scenes) {
    return Error{ErrorCode::kInvalidArgument,
                 fmt::format("no answer to learn: '{:.40}' names none of the {} scenes",
                             item.answer_text, text.num_scenes)};
  }
  onellm::PromptOptions prompt;
  if (!options.prompt_template.empty()) prompt.prompt_template = options.prompt_template;
  onellm::check_template(prompt.prompt_template);
  text.ids = onellm::make_prompt(tokenizer, item.question,
                                 static_cast<std::size_t>(text.num_scenes), prompt)
                 .ids;
  text.labels.assign(text.ids.size(), false);
  const std::vector<std::int64_t> answer_ids = tokenizer.encode(scene_name(*item.answer));
  text.ids.insert(text.ids.end(), answer_ids.begin(), answer_ids.end());
  text.ids.push_back(tokenizer.eos_id());
  text.labels.resize(text.ids.size(), true);

  if (options.max_words != 0) {
    const std::int64_t budget =
        text_budget(tokenizer, text.num_scenes, options.max_words, options.image_words);
    if (std::ssize(text.ids) > budget) {
      return Error{ErrorCode::kInvalidArgument,
                   fmt::format("{} tokens of text where {} are left beside {} scenes: the answer "
                               "would be cut; allow {} more",
                               text.ids.size(), std::max<std::int64_t>(budget, 0), text.num_scenes,
                               std::ssize(text.ids) - budget)};
    }
  }
  return text;
}

}  // namespace

std::int64_t TrainingText::num_labels() const {
  return std::count(labels.begin(), labels.end(), true);
}

std::string published_answer(std::string_view answer_text) {
  const std::string_view text = answer_text.substr(0, answer_text.find('.'));
  const auto begins_with = [&](int i) { return text.starts_with(scene_name(i)); };
  const auto has_name = [&](int i) { return text.find(scene_name(i)) != std::string_view::npos; };
  const auto has_letter = [&](int i) {
    return text.find(scene_letter(i)) != std::string_view::npos;
  };
  std::optional<int> scene = only_scene(begins_with);
  if (!scene) scene = only_scene(has_name);
  if (!scene) scene = only_scene(has_letter);
  return scene ? scene_name(*scene) : "";
}

Result<TrainingText> make_training_text(const text::SentencePiece& tokenizer, const Item& item,
                                        const TrainingTextOptions& options) {
  check_tokenizer(tokenizer);
  return options.is_compat ? published_text(tokenizer, item, options)
                           : evaluated_text(tokenizer, item, options);
}

}  // namespace contra4::train
