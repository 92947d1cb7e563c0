#include "contra4/apps/commands/finetune.h"

#include <memory>
#include <ostream>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <CLI/App.hpp>

#include "contra4/apps/command_text.h"
#include "contra4/apps/finetune_flags.h"
#include "contra4/apps/finetune_items.h"
#include "contra4/apps/finetune_options.h"
#include "contra4/apps/output.h"
#include "contra4/apps/progress.h"
#include "contra4/base/clock.h"
#include "contra4/base/error.h"
#include "contra4/inference/torch_loader.h"
#include "contra4/inference/training_checkpoints.h"
#include "contra4/io/json_writer.h"
#include "contra4/media/decoder.h"

namespace contra4::apps {

namespace {

namespace fs = std::filesystem;

constexpr double kGigabyte = 1e9;
constexpr double kMegabyte = 1e6;

// Rank 0 talks for all.
class Talk {
 public:
  Talk(Context& context, const JobRank& job)
      // NOLINTNEXTLINE(*.UninitializedObject): does not look into the constructor of the line
      : context_(context), is_on_(!context.quiet && job.rank == 0), line_(context, clock_) {}

  void tell(const std::string& words) {
    if (!is_on_) return;
    line_.clear();
    context_.err << words << std::endl;
  }
  void show(const FinetuneProgress& progress) {
    if (is_on_) line_.update(progress);
  }

 private:
  Context& context_;
  bool is_on_;
  SystemClock clock_;
  ProgressLine line_;
};

std::string size_text(std::uint64_t bytes) {
  const auto size = static_cast<double>(bytes);
  return size < kGigabyte ? fmt::format("{:.1f} MB", size / kMegabyte)
                          : fmt::format("{:.1f} GB", size / kGigabyte);
}

std::string_view part_name(TrainedPart part) {
  if (part == TrainedPart::kLora) return "low-rank updates and the projector";
  return part == TrainedPart::kProjector ? "the projector" : "everything but CLIP";
}

std::string_view type_name(TrainingType type) {
  if (type == TrainingType::kFloat64) return "fp64";
  return type == TrainingType::kBFloat16 ? "bf16" : "fp32";
}

std::string_view sharing_name(DataParallel kind) {
  if (kind == DataParallel::kShardGradients) return "sdp";
  return kind == DataParallel::kShardAll ? "fsdp" : "ddp";
}

std::string dry_run_text(const FinetuneOptions& options, const FinetunePlan& plan) {
  std::string text =
      fmt::format("learnt from: {} in {} of the same modalities\n",
                  counted(plan.num_items, "question"), counted(plan.num_groups, "group"));
  if (plan.num_left_out > 0) {
    text += fmt::format("left out, as they cannot be learnt from: {}\n",
                        counted(plan.num_left_out, "question"));
  }
  if (plan.num_never_shown > 0) {
    text +=
        fmt::format("never shown, as published: {}\n", counted(plan.num_never_shown, "question"));
  }
  text += fmt::format(
      "steps: {} an epoch, {} in all, of {} x {} x {} questions (batch, processes, accumulated)\n",
      grouped(plan.steps_per_epoch), grouped(plan.total_steps), options.batch_size,
      options.job.count, options.accumulation);
  if (options.micro_batch_size < options.batch_size) {
    text += fmt::format("computed: {} at a time\n", counted(options.micro_batch_size, "question"));
  }
  text += fmt::format("learning rate: up to {} over {:.4g} epochs, then down to {}\n",
                      options.learning_rate, options.warmup_epochs, options.min_learning_rate);
  text +=
      fmt::format("trained: {}, {} weights; {} more stay as they are\n", part_name(options.trained),
                  grouped(plan.num_trained), grouped(plan.num_frozen));
  text += fmt::format(
      "memory of a process on {}, {}{}:\n", options.device, type_name(options.type),
      options.job.count == 1 ? "" : fmt::format(", {}", sharing_name(options.data_parallel)));
  const std::pair<const char*, std::uint64_t> parts[] = {
      {"weights", plan.weight_bytes},
      {"master weights", plan.master_bytes},
      {"optimizer", plan.moment_bytes},
      {"gradients", plan.gradient_bytes},
      {"activations, about", plan.activation_bytes},
      {"together, about", plan.total_bytes()}};
  for (const auto& [name, bytes] : parts) {
    text += fmt::format("  {:<20} {:>12}\n", name, size_text(bytes));
  }
  return text;
}

std::string json_of(const FinetuneOutcome& outcome) {
  io::JsonWriter json;
  json.begin_object()
      .member("is_complete", outcome.is_complete)
      .member("steps", outcome.steps)
      .member("last_loss", outcome.last_loss)
      .member("seconds", outcome.seconds)
      .member("num_positions", outcome.num_positions)
      .member("left_out", outcome.num_left_out);
  json.key("validation_accuracy");
  if (outcome.validation_accuracy) {
    json.value(*outcome.validation_accuracy);
  } else {
    json.null();
  }
  json.key("model");
  if (outcome.model.empty()) {
    json.null();
  } else {
    json.value(outcome.model.string());
  }
  json.end_object();
  return json.take() + "\n";
}

// What to type to see how good it is.
std::string evaluation_of(const FinetuneFlags& flags, const FinetuneOutcome& outcome) {
  std::vector<std::string> words = {
      "evaluate", "--dataset",
      flags.validation.empty() ? "test.json" : flags.validation.front().string(), "--model",
      "onellm/" + outcome.model.string()};
  if (flags.media_root) {
    words.insert(words.end(), {"--media-root", flags.media_root->string()});
  }
  if (flags.prompt_template) {
    words.insert(words.end(), {"--prompt-template", *flags.prompt_template});
  }
  return command_text(words);
}

void tell_end(Talk& talk, const FinetuneFlags& flags, const FinetuneOutcome& outcome) {
  std::string line =
      fmt::format("{}, last loss {:.4f}", counted(outcome.steps, "step"), outcome.last_loss);
  if (outcome.num_left_out > 0) {
    line += fmt::format(", {} left out", counted(outcome.num_left_out, "question"));
  }
  if (outcome.validation_accuracy) {
    line += fmt::format(", {:.1f}% right on --val", 100 * *outcome.validation_accuracy);
  }
  if (outcome.seconds > 0) talk.tell(line);  // else all was done before, which is said already
  if (!outcome.model.empty()) {
    talk.tell(fmt::format("model: {}\nevaluate it: {}", outcome.model.string(),
                          evaluation_of(flags, outcome)));
  }
}

// Deletes the checkpoints of an earlier run; nothing else of the folder. All processes of a job do
// it, each before it meets the others, so that none finds an old one afterwards.
void remove_checkpoints(const fs::path& output) {
  std::error_code ignored;
  for (const TrainingCheckpoint& found : find_checkpoints(output)) {
    fs::remove_all(found.folder, ignored);
  }
}

// The options whole, with items.
FinetuneOptions prepare(Context& context, const FinetuneFlags& flags, Talk& talk,
                        FinetuneOptions options) {
  for (const std::string& note : notes_of(flags)) talk.tell("note: " + note);
  options.items = load_training_items(context, flags, training_files(flags, context), "--data");
  if (!flags.validation.empty()) {
    options.validation = load_training_items(context, flags, flags.validation, "--val");
  }
  options.decoder = &media::media_decoder();
  return options;
}

FinetuneOutcome train(Context& context, const FinetuneFlags& flags, Talk& talk,
                      const FinetuneOptions& options, const TorchModule& module) {
  if (flags.overwrite) remove_checkpoints(options.output);
  const FinetuneObserver observer{
      .progress = [&talk](const FinetuneProgress& progress) { talk.show(progress); },
      .tell = [&talk](const std::string& words) { talk.tell(words); }};
  return module.finetune(options, observer, context.stop);
}

// 0 after SIGTERM, which is how schedulers end a job, and where another process was stopped.
int end_stopped(const Context& context, Talk& talk, const FinetuneOptions& options,
                const FinetuneOutcome& outcome) {
  const std::string words =
      fmt::format("stopped after {}; it is saved in {}, and the same command goes on",
                  counted(outcome.steps, "step"), options.output.string());
  const bool is_by_scheduler = context.was_terminated && context.was_terminated();
  if (context.stop.stop_requested() && !is_by_scheduler) {
    throw Exception(ErrorCode::kCancelled, words);
  }
  talk.tell(words);
  return kExitDone;
}

int run_finetune(const FinetuneFlags& flags, Context& context) {
  auto options = finetune_options(flags, context);
  Talk talk(context, options.job);
  options = prepare(context, flags, talk, std::move(options));
  const TorchModule& module = open_torch_module();
  choose_device(options, flags, module.num_gpus());
  FinetunePlan plan;
  if (flags.dry_run || options.max_steps > 0) plan = module.plan_finetune(options);
  set_warmup(options, flags, plan.steps_per_epoch, plan.total_steps);
  if (flags.dry_run) {
    if (options.job.rank == 0) write_result(context, {}, dry_run_text(options, plan));
    return kExitDone;
  }
  const auto outcome = train(context, flags, talk, options, module);
  if (flags.json && options.job.rank == 0) write_result(context, {}, json_of(outcome));
  if (!outcome.is_complete) return end_stopped(context, talk, options, outcome);
  tell_end(talk, flags, outcome);
  return kExitDone;
}

// Of several processes each error says whose it is.
int run_as_rank(const FinetuneFlags& flags, Context& context) {
  try {
    return run_finetune(flags, context);
  } catch (const Exception& error) {
    const auto worker = find_worker(context.environment);
    if (!worker) throw;
    throw Exception(error.code(), fmt::format("process {} of {}: {}", worker->rank + 1,
                                              worker->count, error.what()));
  }
}

}  // namespace

RunCommand add_finetune_command(CLI::App& app) {
  auto flags = std::make_shared<FinetuneFlags>();
  app.description(
      "Trains OneLLM on questions with answers, on a CPU, a GPU or many. All flags of the "
      "published script are understood. An interrupted training goes on when the same command is "
      "given again.");
  add_finetune_flags(app, *flags);
  app.footer(
      "Examples:\n"
      "  contra4 finetune --data train.json --val val.json --media-root media \\\n"
      "    --llama-ckpt-dir OneLLM-7B --output-dir runs/onellm --dry-run\n"
      "  contra4 finetune --data train.json --llama-ckpt-dir OneLLM-7B --output-dir runs/lora \\\n"
      "    --train lora --checkpointing --batch-size 1 --accum-iter 16\n"
      "  torchrun --no-python --nproc-per-node 8 contra4 finetune --data train.json \\\n"
      "    --llama-ckpt-dir OneLLM-7B --output-dir runs/onellm --data-parallel fsdp "
      "--checkpointing\n"
      "  contra4 finetune --batch_size 2 --epochs 1 --output_dir ./output --compat");
  return [flags](Context& context) { return run_as_rank(*flags, context); };
}

}  // namespace contra4::apps
