#include "contra4/apps/finetune_options.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>
#include <system_error>
#include <utility>

#include <fmt/format.h>

#include "contra4/apps/native_flags.h"
#include "contra4/base/error.h"
#include "contra4/inference/training_checkpoints.h"

namespace contra4::apps {

namespace {

namespace fs = std::filesystem;

// Where the published script has them, seen from its own folder.
constexpr const char* kPublishedCheckpoint = "OneLLM/OneLLM-7B";
constexpr const char* kPublishedTokenizer = "OneLLM/config/llama2/tokenizer.model";
constexpr const char* kTokenizerName = "tokenizer.model";
constexpr double kDefaultSaveMinutes = 30;
constexpr std::int64_t kPublishedSaveSteps = 1000;
constexpr std::int64_t kPublishedSaveEpochs = 500;

bool is_there(const fs::path& path) {
  std::error_code ignored;
  return fs::exists(path, ignored);
}

TrainedPart part_of(const FinetuneFlags& flags) {
  if (flags.trained == "lora") return TrainedPart::kLora;
  return flags.trained == "projector" ? TrainedPart::kProjector : TrainedPart::kAll;
}

DataParallel data_parallel_of(const std::string& name) {
  if (name == "ddp") return DataParallel::kReplicated;
  return name == "fsdp" ? DataParallel::kShardAll : DataParallel::kShardGradients;
}

fs::path checkpoint_of(const FinetuneFlags& flags) {
  const bool is_default = !flags.init_from && !flags.checkpoint;
  fs::path path =
      flags.init_from ? *flags.init_from : flags.checkpoint.value_or(kPublishedCheckpoint);
  if (is_there(path)) return path;
  throw Exception(
      ErrorCode::kNotFound,
      is_default
          ? fmt::format("no checkpoint to begin with: --llama-ckpt-dir names OneLLM's folder ({}, "
                        "the default, is not here)",
                        kPublishedCheckpoint)
          : fmt::format("{} {}: no such file or folder",
                        flags.init_from ? "--init-from" : "--llama-ckpt-dir", path.string()));
}

fs::path existing(const fs::path& path, const char* flag) {
  if (is_there(path)) return path;
  throw Exception(ErrorCode::kNotFound, fmt::format("{} {}: no such file", flag, path.string()));
}

// Empty: beside the checkpoint.
fs::path tokenizer_of(const FinetuneFlags& flags, const fs::path& checkpoint) {
  if (flags.tokenizer) return existing(*flags.tokenizer, "--tokenizer-path");
  const fs::path folder = fs::is_directory(checkpoint) ? checkpoint : checkpoint.parent_path();
  if (is_there(folder / kTokenizerName)) return {};
  // With --init-from the other folder still has the tokenizer.
  if (flags.checkpoint && is_there(*flags.checkpoint / kTokenizerName)) {
    return *flags.checkpoint / kTokenizerName;
  }
  if (is_there(kPublishedTokenizer)) return kPublishedTokenizer;
  throw Exception(ErrorCode::kNotFound,
                  fmt::format("no {} beside the checkpoint, in {}: --tokenizer-path FILE names it",
                              kTokenizerName, folder.string()));
}

void set_model(FinetuneOptions& options, const FinetuneFlags& flags) {
  options.checkpoint = checkpoint_of(flags);
  if (flags.config) options.config = existing(*flags.config, "--llama-config");
  options.tokenizer = tokenizer_of(flags, options.checkpoint);
  options.trained = part_of(flags);
  const bool names_lora = flags.lora_rank || flags.lora_alpha || !flags.lora_targets.empty();
  if (names_lora && options.trained != TrainedPart::kLora) {
    throw UsageError("--lora-rank, --lora-alpha and --lora-targets go with --train lora");
  }
  if (flags.lora_rank) options.lora.rank = *flags.lora_rank;
  options.lora.alpha = flags.lora_alpha.value_or(2.0 * options.lora.rank);
  if (!flags.lora_targets.empty()) options.lora.targets = flags.lora_targets;
  options.is_compat = flags.compat;
  if (flags.compat && flags.prompt_template) {
    throw UsageError(
        "--prompt-template and --compat contradict each other: the published training "
        "has no words around a question");
  }
  if (flags.prompt_template) options.prompt_template = read_prompt_template(*flags.prompt_template);
  options.max_words = flags.max_words.value_or(flags.compat ? 180 : 0);
  options.image_words = flags.image_words;
}

void check_micro_batches(const FinetuneFlags& flags) {
  const std::int64_t at_once = flags.micro_batch_size.value_or(flags.batch_size);
  if (flags.batch_size % at_once != 0) {
    throw UsageError(fmt::format("--micro-batch-size {} does not divide --batch-size {}", at_once,
                                 flags.batch_size));
  }
  if (flags.compat && at_once != flags.batch_size) {
    throw UsageError(
        "--micro-batch-size and --compat contradict each other: the published loss is the mean "
        "over a batch, which is computed at once");
  }
}

// A CPU is as busy with one question as with several; a GPU is not, and sharded weights are fetched
// for every micro-batch.
std::int64_t micro_batch_size_of(const FinetuneOptions& options, const FinetuneFlags& flags) {
  if (flags.micro_batch_size) return *flags.micro_batch_size;
  const bool is_any_equal = options.device == "cpu" &&
                            options.data_parallel == DataParallel::kReplicated &&
                            !options.is_compat;
  return is_any_equal ? 1 : options.batch_size;
}

void set_training(FinetuneOptions& options, const FinetuneFlags& flags) {
  const auto defaults = training_defaults(options.trained, flags.compat);
  options.epochs = flags.epochs;
  options.max_steps = flags.max_steps;
  options.batch_size = flags.batch_size;
  options.accumulation = flags.accumulation;
  check_micro_batches(flags);
  options.learning_rate = flags.learning_rate.value_or(defaults.learning_rate);
  // A rate below the default floor is wanted as it is.
  options.min_learning_rate =
      flags.min_learning_rate.value_or(std::min(defaults.min_learning_rate, options.learning_rate));
  if (options.min_learning_rate > options.learning_rate) {
    throw UsageError(fmt::format("--min-lr {} is above --lr {}", options.min_learning_rate,
                                 options.learning_rate));
  }
  options.weight_decay = flags.weight_decay.value_or(defaults.weight_decay);
  options.max_gradient_norm =
      flags.clip_grad > 0 ? flags.clip_grad : std::numeric_limits<double>::infinity();
  options.seed = flags.seed;
  options.recomputes = flags.checkpointing;
}

fs::path checkpoint_to_resume(const fs::path& given) {
  if (is_there(given / kCheckpointIndexName)) return given;
  for (const TrainingCheckpoint& found : find_checkpoints(given)) {
    if (found.is_committed) return found.folder;
  }
  throw Exception(ErrorCode::kNotFound,
                  fmt::format("--resume {}: {}", given.string(),
                              is_there(given) ? "neither a checkpoint of contra4 nor a folder with "
                                                "one (no checkpoint.json)"
                                              : "no such folder"));
}

void set_saving(FinetuneOptions& options, const FinetuneFlags& flags) {
  if (flags.compat) {
    options.save_steps = kPublishedSaveSteps;
    options.save_epochs = kPublishedSaveEpochs;
    if (flags.save_interval) {
      const auto interval = parse_save_interval(*flags.save_interval);
      if (interval.minutes > 0) {
        throw UsageError("--save-interval: with --compat it is a number of epochs, as published");
      }
      options.save_epochs = interval.steps;
    }
    return;
  }
  const auto interval = flags.save_interval ? parse_save_interval(*flags.save_interval)
                                            : SaveInterval{.minutes = kDefaultSaveMinutes};
  options.save_steps = interval.steps;
  options.save_minutes = interval.minutes;
}

void set_keeping(FinetuneOptions& options, const FinetuneFlags& flags) {
  if (flags.output.empty()) throw UsageError("--output-dir needs a folder");
  options.output = flags.output;
  set_saving(options, flags);
  options.num_kept = flags.keep;
  options.saves_consolidated = flags.save_consolidated;
  const std::string format = flags.format.value_or(flags.compat ? "pth" : "both");
  options.writes_torch_file = format != "safetensors";
  options.writes_safetensors = format != "pth";
  const bool resumes = flags.resume && !flags.resume->empty();
  if (flags.overwrite && (resumes || flags.auto_resume)) {
    throw UsageError("--overwrite starts anew: it does not go with --resume or --auto-resume");
  }
  if (resumes) options.resume = checkpoint_to_resume(*flags.resume);
  options.resumes_latest = !flags.overwrite && !resumes;
  options.log_folder = flags.log_dir.value_or(flags.compat ? fs::path("./output_dir")
                                                           : flags.output / "tensorboard");
  if ((flags.early_stop > 0 || flags.validation_interval > 0) && flags.validation.empty()) {
    throw UsageError("--early-stop and --val-interval need --val FILE");
  }
  options.validation_steps = flags.validation_interval;
  options.early_stop = flags.early_stop;
}

}  // namespace

TrainingDefaults training_defaults(TrainedPart trained, bool is_compat) {
  // Why: docs/finetuning.md.
  if (is_compat) {
    return {.learning_rate = 1e-7,
            .min_learning_rate = 1e-10,
            .warmup_share = -1,
            .weight_decay = 0.02};
  }
  switch (trained) {
    case TrainedPart::kLora:
      return {.learning_rate = 2e-4, .warmup_share = 0.03, .weight_decay = 0};
    case TrainedPart::kProjector:
      return {.learning_rate = 2e-4, .warmup_share = 0.03, .weight_decay = 0.02};
    case TrainedPart::kAll:
      break;
  }
  return {.learning_rate = 2e-5, .warmup_share = 0.03, .weight_decay = 0.02};
}

SaveInterval parse_save_interval(const std::string& text) {
  double number = 0;
  const char* const end_of_text = text.data() + text.size();
  const auto [end, error] = std::from_chars(text.data(), end_of_text, number);
  const std::string_view unit(end, static_cast<std::size_t>(end_of_text - end));
  const bool is_number = error == std::errc() && std::isfinite(number) && number >= 0;
  if (is_number && unit.empty() && number == std::floor(number) && number < 1e15) {
    return {.steps = static_cast<std::int64_t>(number)};
  }
  constexpr std::pair<std::string_view, double> kMinutes[] = {
      {"s", 1.0 / 60}, {"m", 1}, {"min", 1}, {"h", 60}};
  for (const auto& [name, minutes] : kMinutes) {
    if (is_number && number > 0 && unit == name) return {.minutes = number * minutes};
  }
  throw UsageError(fmt::format(
      "--save-interval '{:.40}': expected steps (500) or a time (90s, 30min, 2h)", text));
}

FinetuneOptions finetune_options(const FinetuneFlags& flags, const Context& context) {
  FinetuneOptions options;
  options.job = find_job(context.environment, flags.job);
  set_model(options, flags);
  set_training(options, flags);
  set_keeping(options, flags);
  options.data_parallel =
      options.job.count == 1 ? DataParallel::kReplicated : data_parallel_of(flags.data_parallel);
  const auto worker = find_worker(context.environment);
  options.num_threads = flags.threads.value_or(default_threads(worker));
  options.num_decoders = flags.decoders.value_or(0);
  options.feature_store = flags.feature_store.value_or("");
  return options;
}

void choose_device(FinetuneOptions& options, const FinetuneFlags& flags, int num_gpus) {
  const auto devices = parse_devices(flags.device.value_or("auto"));
  if (devices.size() > 1) {
    throw UsageError(
        "--device: one; several GPUs take a process each: torchrun --no-python "
        "--nproc-per-node N contra4 finetune ...");
  }
  options.device = devices.empty() ? (num_gpus > 0 ? "cuda" : "cpu") : devices.front();
  if (options.device == "cuda" && num_gpus > 0) {
    options.device = fmt::format("cuda:{}", options.job.local_rank % num_gpus);
  }
  const std::string fallback = flags.compat || options.device != "cpu" ? "bf16" : "fp32";
  const std::string precision = flags.precision.value_or(fallback);
  if (precision == "fp64") {
    options.type = TrainingType::kFloat64;
  } else {
    const bool is_short = precision == "bf16" || precision == "fp16";
    options.type = is_short ? TrainingType::kBFloat16 : TrainingType::kFloat32;
  }
  options.micro_batch_size = micro_batch_size_of(options, flags);
}

void set_warmup(FinetuneOptions& options, const FinetuneFlags& flags, std::int64_t steps_per_epoch,
                std::int64_t total_steps) {
  const double share = training_defaults(options.trained, options.is_compat).warmup_share;
  const double epochs =
      steps_per_epoch > 0 ? static_cast<double>(total_steps) / static_cast<double>(steps_per_epoch)
                          : static_cast<double>(options.epochs);
  options.warmup_epochs = flags.warmup_epochs.value_or(share < 0 ? 1 : share * epochs);
}

std::vector<std::string> notes_of(const FinetuneFlags& flags) {
  std::vector<std::string> notes;
  if (!flags.datasets.empty()) {
    notes.emplace_back(
        "--datasets has no effect, as in the published script; --data names what is "
        "learnt from");
  }
  if (flags.init_from_image) {
    notes.emplace_back("--init-from-image has no effect, as in the published script");
  }
  if (flags.precision == "fp16") {
    notes.emplace_back(
        "--precision fp16: computed in bf16, which takes as much memory and needs "
        "no scaling of the loss");
  }
  if (flags.precision == "tf32") {
    notes.emplace_back("--precision tf32: computed in fp32");
  }
  return notes;
}

}  // namespace contra4::apps
