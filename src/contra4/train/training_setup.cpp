// What a training needs before its first step, and what it writes.
#include <algorithm>
#include <set>
#include <system_error>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "contra4/base/error.h"
#include "contra4/base/hash.h"
#include "contra4/inference/training_checkpoints.h"
#include "contra4/models/device/devices.h"
#include "contra4/models/onellm/files.h"
#include "contra4/models/onellm/prompt.h"
#include "contra4/tensor/thread_count.h"
#include "contra4/train/finetune_plan.h"
#include "contra4/train/training.h"

namespace contra4::train {

namespace {

namespace fs = std::filesystem;

constexpr std::size_t kItemsNamed = 5;
// Questions of a validation at once: no activations are kept, so that more fit than in a step.
constexpr std::int64_t kValidationFactor = 2;

at::ScalarType compute_type_of(TrainingType type) {
  switch (type) {
    case TrainingType::kFloat32:
      return at::kFloat;
    case TrainingType::kBFloat16:
      return at::kBFloat16;
    case TrainingType::kFloat64:
      return at::kDouble;
  }
  return at::kFloat;
}

std::string_view name_of(TrainedPart part) {
  switch (part) {
    case TrainedPart::kAll:
      return "all";
    case TrainedPart::kLora:
      return "lora";
    case TrainedPart::kProjector:
      return "projector";
  }
  return "all";
}

// All that is learnt from, in its order.
std::string hash_of(const TrainingSet& set) {
  Sha256 hash;
  for (const LearntItem& item : set.items) {
    hash.update(fmt::format("{}\n{}\n", item.id, fmt::join(item.text.ids, " ")));
    for (const bool label : item.text.labels) hash.update(label ? "1" : "0");
    for (const Modality modality : item.modalities) hash.update(to_string(modality));
  }
  return hash.hex_digest();
}

// Names, types and shapes of a checkpoint; not its bytes, which would take minutes.
std::string hash_of(const tensor::Checkpoint& checkpoint) {
  Sha256 hash;
  for (const std::string& name : checkpoint.names()) {
    const io::TensorEntry& entry = *checkpoint.find_entry(name);
    hash.update(
        fmt::format("{} {} {}\n", name, io::to_string(entry.type), fmt::join(entry.shape, ",")));
  }
  return hash.hex_digest();
}

UnitOptions unit_options(const FinetuneOptions& options, at::Device device,
                         at::ScalarType compute_type, int num_processes) {
  return {.data_parallel = num_processes == 1 ? DataParallel::kReplicated : options.data_parallel,
          .master_type = compute_type == at::kDouble ? at::kDouble : at::kFloat,
          .compute_type = compute_type,
          .device = device};
}

}  // namespace

at::Device training_device(const FinetuneOptions& options) {
  std::vector<std::string> names;
  if (!options.device.empty()) names.push_back(options.device);
  return models::choose_devices(names, options.job.local_rank).front();
}

void Training::read_model() {
  if (options_.batch_size < 1 || options_.accumulation < 1 || options_.epochs < 1) {
    throw Exception(ErrorCode::kInvalidArgument,
                    "epochs, batch size and accumulation are 1 at least");
  }
  device_ = training_device(options_);
  compute_type_ = compute_type_of(options_.type);
  tokenizer_.emplace(models::onellm::find_tokenizer(options_.checkpoint, options_.tokenizer));
  source_.emplace(options_.checkpoint);
  sizes_ = models::onellm::read_sizes(
      *source_, models::onellm::find_config(options_.checkpoint, options_.config));
  models::onellm::check_tokenizer(*tokenizer_, sizes_.language.vocabulary_size);
}

void Training::read_items() {
  set_ = make_training_set(*tokenizer_, options_.items,
                           {.is_compat = options_.is_compat,
                            .prompt_template = options_.prompt_template,
                            .max_words = options_.max_words,
                            .image_words = options_.image_words});
  for (std::size_t i = 0; i < std::min(set_.left_out.size(), kItemsNamed); ++i) {
    tell(fmt::format("left out: {}: {}", set_.left_out[i].id, set_.left_out[i].error.message));
  }
  if (set_.left_out.size() > kItemsNamed) {
    tell(fmt::format("left out: {} items in all", set_.left_out.size()));
  }
  if (set_.items.empty()) {
    throw Exception(ErrorCode::kInvalidArgument,
                    fmt::format("none of {} items can be learnt from", options_.items.size()));
  }
  sampler_.emplace(set_.groups, sampler_options(options_, group_.size()));
  if (sampler_->steps_per_epoch() == 0) {
    throw Exception(
        ErrorCode::kInvalidArgument,
        fmt::format("no group of items with the same modalities fills a step of {} (batch size "
                    "{}, {} processes, accumulation {}); without --compat smaller groups are used",
                    options_.batch_size * group_.size() * options_.accumulation,
                    options_.batch_size, group_.size(), options_.accumulation));
  }
  if (sampler_->num_left_out() > 0) {
    tell(fmt::format("{} of {} items are never shown: as published, what does not fill a step",
                     sampler_->num_left_out(), set_.items.size()));
  }
  total_steps_ = options_.epochs * sampler_->steps_per_epoch();
  if (options_.max_steps > 0) total_steps_ = std::min(total_steps_, options_.max_steps);
  if (options_.validation.empty()) return;
  TrainingSet validation =
      make_validation_set(*tokenizer_, options_.validation, options_.prompt_template);
  if (!validation.items.empty()) {
    validation_.emplace(std::move(validation), *tokenizer_, kValidationFactor * options_.batch_size,
                        group_);
  }
}

void Training::make_weights() {
  const UnitOptions unit = unit_options(options_, device_, compute_type_, group_.size());
  weights_.emplace(
      *source_, sizes_,
      TrainedWeightsOptions{
          .trained = options_.trained, .lora = options_.lora, .seed = options_.seed, .unit = unit},
      &group_);
  network_.emplace(weights_->checkpoint(), sizes_,
                   NetworkOptions{.trained = options_.trained,
                                  .lora_scale = options_.lora.scale(),
                                  .dtype = compute_type_,
                                  .device = device_,
                                  .label_ids = scene_label_ids(*tokenizer_)});
  network_media_.emplace(
      *network_, weights_->checkpoint(),
      models::onellm::PrepareOptions{
          .decoder = options_.decoder,
          .is_compat = options_.is_compat,
          .rounds_points_to_bfloat16 = options_.is_compat && compute_type_ == at::kBFloat16});
  if (!options_.feature_store.empty()) {
    feature_store_.emplace(options_.feature_store, network_media_->feature_key());
  }
  media_.emplace(*network_media_, feature_store_ ? &*feature_store_ : nullptr,
                 models::resolve_num_decoders(options_.num_decoders,
                                              tensor::resolve_num_threads(options_.num_threads)));
  runner_.emplace(
      weights_->root(), weights_->layers(),
      UnitRunnerOptions{.data_parallel = unit.data_parallel, .recomputes = options_.recomputes});
  optimizer_.emplace(weights_->units(),
                     AdamWOptions{.weight_decay = options_.weight_decay,
                                  .max_gradient_norm = options_.max_gradient_norm},
                     &group_);
}

std::vector<std::pair<std::string, std::string>> Training::settings() const {
  const auto lora = options_.trained == TrainedPart::kLora
                        ? fmt::format("{} of alpha {}, on {}", options_.lora.rank,
                                      options_.lora.alpha, fmt::join(options_.lora.targets, " "))
                        : "none";
  return {{"checkpoint", hash_of(*source_)},
          {"items", hash_of(set_)},
          {"compat", options_.is_compat ? "yes" : "no"},
          {"trained", std::string(name_of(options_.trained))},
          {"lora", lora},
          {"precision", std::string(c10::toString(compute_type_))},
          {"questions a step",
           std::to_string(options_.batch_size * options_.accumulation * group_.size())},
          {"epochs", std::to_string(options_.epochs)},
          {"max steps", std::to_string(options_.max_steps)},
          {"lr", fmt::format("{}", options_.learning_rate)},
          {"min lr", fmt::format("{}", options_.min_learning_rate)},
          {"warm-up epochs", fmt::format("{}", options_.warmup_epochs)},
          {"weight decay", fmt::format("{}", options_.weight_decay)},
          {"clip grad", fmt::format("{}", options_.max_gradient_norm)},
          {"seed", std::to_string(options_.seed)}};
}

FinalModelOptions Training::model_options(const fs::path& folder, bool is_final) const {
  const fs::path beside = fs::is_directory(options_.checkpoint) ? options_.checkpoint
                                                                : options_.checkpoint.parent_path();
  fs::path config = options_.config;
  if (config.empty() && fs::exists(beside / "params.json")) config = beside / "params.json";
  return {.folder = folder,
          .writes_torch_file = options_.writes_torch_file || !is_final,
          .writes_safetensors = options_.writes_safetensors && is_final,
          .type = compute_type_ == at::kBFloat16 ? at::kBFloat16 : at::kFloat,
          .config = config,
          .tokenizer = models::onellm::find_tokenizer(options_.checkpoint, options_.tokenizer)};
}

void Training::open_output() {
  if (group_.rank() == 0)
    check_model_folder(model_options(options_.output, true), options_.checkpoint);
  checkpoints_.emplace(CheckpointOptions{.output = options_.output,
                                         .rank = group_.rank(),
                                         .num_ranks = group_.size(),
                                         .num_kept = options_.num_kept,
                                         .settings = settings()});
  fs::path checkpoint = options_.resume;
  if (checkpoint.empty()) {
    const auto latest = checkpoints_->find_latest();
    if (latest && !options_.resumes_latest) {
      throw Exception(ErrorCode::kInvalidArgument,
                      fmt::format("{} holds checkpoints of a training already; go on with it, or "
                                  "name another --output_dir",
                                  options_.output.string()));
    }
    if (latest) checkpoint = *latest;
  }
  if (!checkpoint.empty()) resume(checkpoint);
  group_.barrier();  // nobody looks for checkpoints any more
  if (group_.rank() == 0) {
    log_.emplace(options_.output, options_.log_folder, position_.global_step);
  }
}

void Training::resume(const fs::path& checkpoint) {
  position_ = checkpoints_->read_position(checkpoint);
  const std::vector<Unit*> units = weights_->units();
  std::vector<UnitShard> shards = unit_shards();
  checkpoints_->load_shards(checkpoint, shards);
  for (Unit* unit : units) unit->touch();
  optimizer_->set_num_steps(position_.num_updates);
}

std::vector<UnitShard> Training::unit_shards() const {
  std::vector<UnitShard> shards;
  const std::vector<Unit*> units = weights_->units();
  for (std::size_t i = 0; i < units.size(); ++i) {
    const Unit& unit = *units[i];
    UnitShard& shard = shards.emplace_back();
    shard.unit = unit.plan().name.empty() ? "root" : unit.plan().name;
    shard.num_elements = unit.plan().num_elements();
    shard.begin = unit.shard_begin();
    // What fills the last shard up is not kept.
    const std::int64_t count =
        std::clamp<std::int64_t>(shard.num_elements - shard.begin, 0, unit.shard_size());
    shard.master = unit.master().narrow(0, 0, count);
    shard.first_moment = optimizer_->first_moment(i).narrow(0, 0, count);
    shard.second_moment = optimizer_->second_moment(i).narrow(0, 0, count);
    for (const ParameterPlan& parameter : unit.plan().parameters) {
      shard.parameters.emplace_back(parameter.name, parameter.num_elements());
    }
  }
  return shards;
}

// Whether the model of the newest checkpoint was written: after it.
bool Training::has_model() const {
  const auto latest = checkpoints_->find_latest();
  if (!latest) return false;
  std::error_code missing;
  const auto saved = fs::last_write_time(*latest / kCheckpointIndexName, missing);
  const auto files = model_files(model_options(options_.output, /*is_final=*/true));
  return std::all_of(files.begin(), files.end(), [&](const fs::path& file) {
    const auto written = fs::last_write_time(file, missing);
    return !missing && written >= saved;
  });
}

// All processes collect, the first one writes.
void Training::write_model(const fs::path& folder, bool is_final) {
  std::optional<FinalModelWriter> writer;
  if (group_.rank() == 0) {
    writer.emplace(*source_, weights_->changed_names(), model_options(folder, is_final));
  }
  weights_->collect(*source_, [&](const std::string& name, const at::Tensor& tensor) {
    writer->add(name, tensor);
  });
  if (writer) writer->commit();
  group_.barrier();
}

void Training::save() {
  position_.num_updates = optimizer_->num_steps();
  checkpoints_->save_shard(position_, unit_shards());
  if (options_.saves_consolidated) {
    write_model(checkpoints_->folder_of(position_), /*is_final=*/false);
  }
  group_.barrier();
  if (group_.rank() == 0) checkpoints_->commit(position_);
  group_.barrier();
  pace_.last_save = Pace::Clock::now();
  tell(fmt::format("saved {}", checkpoints_->folder_of(position_).string()));
}

}  // namespace contra4::train
