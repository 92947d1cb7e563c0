#include "contra4/train/training_set.h"

#include <map>
#include <utility>

#include "contra4/models/onellm/prompt.h"

namespace contra4::train {

namespace {

std::vector<Modality> modalities_of(const Item& item) {
  std::vector<Modality> modalities;
  for (const Scene& scene : item.scenes) modalities.push_back(scene.modality);
  return modalities;
}

// `make_text` gives the Result<TrainingText> of an item.
template <class MakeText>
TrainingSet make_set(std::span<const TrainingItem> items, const MakeText& make_text) {
  TrainingSet set;
  std::map<std::vector<Modality>, std::int64_t> numbers;
  for (const TrainingItem& source : items) {
    const std::string id = source.item.id.text;
    if (!source.item.answer) {
      set.left_out.push_back(
          {id, {ErrorCode::kInvalidArgument, "the item has no answer that names a scene"}});
      continue;
    }
    Result<TrainingText> text = make_text(source.item);
    if (!text) {
      set.left_out.push_back({id, text.error()});
      continue;
    }
    LearntItem& item = set.items.emplace_back();
    item.id = id;
    item.text = std::move(*text);
    item.modalities = modalities_of(source.item);
    item.media = source.media;
    item.answer = *source.item.answer;
    set.groups.push_back(numbers.try_emplace(item.modalities, std::ssize(numbers)).first->second);
  }
  return set;
}

}  // namespace

TrainingSet make_training_set(const text::SentencePiece& tokenizer,
                              std::span<const TrainingItem> items,
                              const TrainingTextOptions& options) {
  return make_set(items,
                  [&](const Item& item) { return make_training_text(tokenizer, item, options); });
}

TrainingSet make_validation_set(const text::SentencePiece& tokenizer,
                                std::span<const TrainingItem> items,
                                const std::string& prompt_template) {
  models::onellm::PromptOptions options;
  if (!prompt_template.empty()) options.prompt_template = prompt_template;
  return make_set(items, [&](const Item& item) -> Result<TrainingText> {
    TrainingText text;
    text.ids =
        models::onellm::make_prompt(tokenizer, item.question, item.scenes.size(), options).ids;
    text.labels.assign(text.ids.size(), false);
    text.num_scenes = item.num_scenes();
    return text;
  });
}

}  // namespace contra4::train
