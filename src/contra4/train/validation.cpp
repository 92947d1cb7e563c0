#include "contra4/train/validation.h"

#include <span>
#include <utility>

#include <ATen/ops/zeros.h>
#include <c10/core/GradMode.h>

#include "contra4/data/item.h"
#include "contra4/models/language/generation.h"

namespace contra4::train {

namespace {

BatchSamplerOptions sampler_options(std::int64_t batch_size, const ProcessGroup& group) {
  return {.batch_size = batch_size, .num_processes = group.size()};
}

}  // namespace

Validation::Validation(TrainingSet set, const text::SentencePiece& tokenizer,
                       std::int64_t batch_size, const ProcessGroup& group)
    : set_(std::move(set)),
      sampler_(set_.groups, sampler_options(batch_size, group)),
      rank_(group.rank()) {
  for (int i = 0; i < kMaxScenes; ++i) name_ids_.push_back(tokenizer.encode(scene_name(i)));
}

std::optional<ValidationScore> Validation::run(const OnellmNetwork& network, UnitRunner& runner,
                                               BatchMedia& media, ProcessGroup& group,
                                               const std::stop_token& stop) const {
  const c10::AutoGradMode no_gradients(false);
  at::Tensor sums = at::zeros({4}, at::kDouble);  // right, asked, failed, stops
  runner.begin_inference();
  for (std::int64_t step = 0; step < sampler_.steps_per_epoch(); ++step) {
    const StepBatches batches = sampler_.step(0, step, rank_);
    std::vector<const LearntItem*> items;
    for (const BatchPlace& place : batches.front()) {
      items.push_back(&set_.items[static_cast<std::size_t>(place.item)]);
    }
    std::vector<ShownMedia> shown = media.fetch(items, stop);
    at::Tensor part = at::zeros({4}, at::kDouble);
    auto counts = part.accessor<double, 1>();
    if (shown.empty()) {
      counts[3] = 1;
      group.all_reduce(part)->wait();
      return std::nullopt;
    }
    group.all_reduce(part)->wait();
    if (counts[3] > 0) return std::nullopt;  // another process was stopped
    const std::vector<std::size_t> choices = choose(items, shown, network, runner);
    for (std::size_t i = 0; i < items.size(); ++i) {
      if (!batches.front()[i].counts) continue;
      counts[shown[i].error ? 2 : 1] += 1;
      const bool is_right = choices[i] == static_cast<std::size_t>(items[i]->answer);
      if (!shown[i].error && is_right) counts[0] += 1;
    }
    sums.add_(part);
  }
  runner.end_inference();
  group.all_reduce(sums)->wait();
  const auto total = sums.accessor<double, 1>();
  return ValidationScore{.num_correct = static_cast<std::int64_t>(total[0]),
                         .num_asked = static_cast<std::int64_t>(total[1]),
                         .num_failed = static_cast<std::int64_t>(total[2])};
}

// One pass over the prompts and the words that all names begin with.
std::vector<std::size_t> Validation::choose(const std::vector<const LearntItem*>& items,
                                            const std::vector<ShownMedia>& shown,
                                            const OnellmNetwork& network,
                                            UnitRunner& runner) const {
  std::vector<models::AskedStem> stems;
  std::vector<std::vector<std::int64_t>> ids;
  std::vector<std::int64_t> num_rows;
  for (std::size_t i = 0; i < items.size(); ++i) {
    const auto names = std::span(name_ids_).first(items[i]->modalities.size());
    for (models::Stem& stem : models::plan_stems(names)) {
      ids.push_back(items[i]->text.ids);
      ids.back().insert(ids.back().end(), stem.tokens.begin(), stem.tokens.end());
      num_rows.push_back(std::ssize(stem.tokens) + 1);
      stems.push_back({.question = i, .stem = std::move(stem)});
    }
  }
  std::vector<Example> examples;
  for (std::size_t i = 0; i < stems.size(); ++i) {
    Example& example = examples.emplace_back();
    example.ids = ids[i];
    example.modalities = items[stems[i].question]->modalities;
    for (const auto& scene : shown[stems[i].question].scenes) example.media.push_back(scene.get());
  }
  const at::Tensor logits = network.last_logits(examples, num_rows, runner);
  std::vector<std::size_t> choices;
  for (const auto& of_item : models::continuation_scores(logits, stems, items.size())) {
    choices.push_back(models::most_likely(of_item, std::span(name_ids_).first(of_item.size())));
  }
  return choices;
}

}  // namespace contra4::train
