#include "contra4/train/finetune_plan.h"

#include <algorithm>
#include <set>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "contra4/base/error.h"
#include "contra4/models/onellm/files.h"
#include "contra4/train/batch_sampler.h"
#include "contra4/train/onellm_network.h"

namespace contra4::train {

namespace {

using models::onellm::Sizes;

// Begin and end tag of a scene, and "Scene A: ".
constexpr std::int64_t kRowsAroundScene = 7;

std::uint64_t bytes_of(TrainingType type) {
  if (type == TrainingType::kFloat64) return 8;
  return type == TrainingType::kBFloat16 ? 2 : 4;
}

std::uint64_t master_bytes_of(TrainingType type) {
  return type == TrainingType::kFloat64 ? 8 : 4;
}

// What a layer keeps of each of its rows, in elements: inputs of both norms, queries, keys, values
// and what attention gives; what comes of w1 and w3.
std::int64_t kept_by_gated_block(std::int64_t width, std::int64_t feed_forward_width) {
  return 6 * width + 2 * feed_forward_width;
}

// The same of a layer of CLIP: no weights learn there, so that inputs of products are not needed.
std::int64_t kept_by_clip_block(std::int64_t width, std::int64_t feed_forward_width) {
  return 6 * width + feed_forward_width;
}

// Of `layers` layers alike over `rows` rows.
std::int64_t kept_by_stack(std::int64_t rows, std::int64_t layers, std::int64_t kept,
                           std::int64_t width, bool recomputes) {
  return recomputes ? rows * (layers * width + kept) : rows * layers * kept;
}

std::int64_t tokens_of(const Sizes& sizes, const tensor::Checkpoint& checkpoint,
                       Modality modality) {
  const auto name = fmt::format("{}positional_embedding.{}", models::onellm::kPrefix,
                                models::onellm::name_of(modality));
  const io::TensorEntry* entry = checkpoint.find_entry(name);
  return entry == nullptr || entry->shape.empty() ? sizes.num_patches + 1 : entry->shape.front();
}

std::int64_t kept_by_medium(const Sizes& sizes, const tensor::Checkpoint& checkpoint,
                            Modality modality, const FinetuneOptions& options) {
  const std::int64_t tokens = tokens_of(sizes, checkpoint, modality);
  std::int64_t kept =
      kept_by_stack(tokens + sizes.num_latents, sizes.num_experts * sizes.num_resampler_layers,
                    kept_by_gated_block(sizes.width, sizes.resampler_feed_forward_width),
                    sizes.width, options.recomputes);
  if (!is_frozen(modality, options.trained)) {
    kept += kept_by_stack(tokens, sizes.num_clip_layers,
                          kept_by_clip_block(sizes.width, sizes.clip_feed_forward_width),
                          sizes.width, /*recomputes=*/false);
  }
  return kept;
}

std::int64_t kept_by_item(const Sizes& sizes, const tensor::Checkpoint& checkpoint,
                          const LearntItem& item, const FinetuneOptions& options) {
  const auto num_scenes = options.is_compat ? 1 : std::ssize(item.modalities);
  const auto rows = std::ssize(item.text.ids) + num_scenes * (sizes.num_latents + kRowsAroundScene);
  const models::LlamaConfig& language = sizes.language;
  std::int64_t kept = kept_by_stack(
      rows, language.num_layers, kept_by_gated_block(language.width, language.feed_forward_width),
      language.width, options.recomputes);
  for (const Modality modality : item.modalities) {
    kept += kept_by_medium(sizes, checkpoint, modality, options);
  }
  return kept;
}

// Weights that are used and not trained.
std::int64_t count_frozen(const tensor::Checkpoint& checkpoint, std::span<const UnitPlan> units) {
  std::set<std::string, std::less<>> trained;
  for (const UnitPlan& unit : units) {
    for (const ParameterPlan& parameter : unit.parameters) trained.insert(parameter.name);
  }
  std::int64_t count = 0;
  for (const std::string& name : checkpoint.names()) {
    if (!models::onellm::is_used(name) || trained.contains(name)) continue;
    count += static_cast<std::int64_t>(checkpoint.find_entry(name)->num_elements());
  }
  return count;
}

}  // namespace

BatchSamplerOptions sampler_options(const FinetuneOptions& options, int num_processes) {
  const std::int64_t at_once =
      options.micro_batch_size == 0 ? options.batch_size : options.micro_batch_size;
  if (at_once < 1 || options.batch_size < 1 || options.batch_size % at_once != 0) {
    throw Exception(ErrorCode::kInvalidArgument,
                    fmt::format("batches of {} questions are not computed {} at a time",
                                options.batch_size, at_once));
  }
  if (options.is_compat && at_once != options.batch_size) {
    throw Exception(ErrorCode::kInvalidArgument,
                    "the published loss is the mean over a batch, which is computed at once");
  }
  return {.batch_size = at_once,
          .num_processes = num_processes,
          .accumulation = options.accumulation * (options.batch_size / at_once),
          .seed = options.seed,
          .is_compat = options.is_compat};
}

void add_weight_bytes(FinetunePlan& plan, std::span<const UnitPlan> units,
                      const FinetuneOptions& options) {
  std::int64_t trained = 0;
  std::int64_t largest = 0;
  for (const UnitPlan& unit : units) {
    trained += unit.num_elements();
    if (!unit.name.empty()) largest = std::max(largest, unit.num_elements());
  }
  const std::int64_t root =
      !units.empty() && units.front().name.empty() ? units.front().num_elements() : 0;
  const std::uint64_t computing = bytes_of(options.type);
  const std::uint64_t master = master_bytes_of(options.type);
  const std::int64_t count = options.job.count;
  const auto kind = count == 1 ? DataParallel::kReplicated : options.data_parallel;
  const bool is_shared = kind != DataParallel::kReplicated;
  const std::int64_t share = is_shared ? (trained + count - 1) / count : trained;
  // The master weights themselves are computed with where nothing is shared and the types agree;
  // gradients are summed where the backward pass puts them.
  const bool is_alias = !is_shared && computing == master;
  // Whole at a time: of the layer that computes, of the one that is fetched or sent meanwhile, and
  // of what belongs to no layer. See Unit.
  const std::int64_t under_way = std::min(trained, root + 2 * largest);
  const std::int64_t on_the_way = std::min(trained, std::max(root, 2 * largest));
  const std::int64_t copies = is_alias ? 0 : kind == DataParallel::kShardAll ? under_way : trained;
  const auto bytes = [](std::int64_t elements, std::uint64_t size) {
    return static_cast<std::uint64_t>(elements) * size;
  };
  plan.num_trained = trained;
  plan.weight_bytes = bytes(plan.num_frozen + copies, computing);
  plan.master_bytes = bytes(share, master);
  plan.moment_bytes = 2 * plan.master_bytes;
  plan.gradient_bytes = bytes(share, master);
  if (!is_alias) plan.gradient_bytes += bytes(under_way, computing) + bytes(on_the_way, master);
}

std::uint64_t estimate_activations(const models::onellm::Sizes& sizes,
                                   const tensor::Checkpoint& checkpoint, const TrainingSet& set,
                                   const FinetuneOptions& options) {
  std::int64_t most = 0;
  for (const LearntItem& item : set.items) {
    most = std::max(most, kept_by_item(sizes, checkpoint, item, options));
  }
  const std::int64_t at_once = sampler_options(options, options.job.count).batch_size;
  return static_cast<std::uint64_t>(most * at_once) * bytes_of(options.type);
}

FinetunePlan plan_finetune(const FinetuneOptions& options) {
  const text::SentencePiece tokenizer(
      models::onellm::find_tokenizer(options.checkpoint, options.tokenizer));
  const tensor::Checkpoint checkpoint(options.checkpoint);
  const Sizes sizes = models::onellm::read_sizes(
      checkpoint, models::onellm::find_config(options.checkpoint, options.config));
  models::onellm::check_tokenizer(tokenizer, sizes.language.vocabulary_size);
  const TrainingSet set = make_training_set(tokenizer, options.items,
                                            {.is_compat = options.is_compat,
                                             .prompt_template = options.prompt_template,
                                             .max_words = options.max_words,
                                             .image_words = options.image_words});
  const BatchSampler sampler(set.groups, sampler_options(options, options.job.count));
  const auto units = plan_units(checkpoint, sizes, options.trained, options.lora);
  FinetunePlan plan;
  plan.num_items = std::ssize(set.items);
  plan.num_left_out = std::ssize(set.left_out);
  plan.num_groups = std::ssize(std::set<std::int64_t>(set.groups.begin(), set.groups.end()));
  plan.num_never_shown = sampler.num_left_out();
  plan.steps_per_epoch = sampler.steps_per_epoch();
  plan.total_steps = options.epochs * plan.steps_per_epoch;
  if (options.max_steps > 0) plan.total_steps = std::min(plan.total_steps, options.max_steps);
  plan.num_frozen = count_frozen(checkpoint, units);
  add_weight_bytes(plan, units, options);
  plan.activation_bytes = estimate_activations(sizes, checkpoint, set, options);
  return plan;
}

}  // namespace contra4::train
