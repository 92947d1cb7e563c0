// Fine-tuning a native model, as the program asks the torch module for it.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "contra4/base/error.h"
#include "contra4/data/item.h"
#include "contra4/media/decoder.h"

namespace contra4 {

// How the weights that are trained lie on the processes of a job.
enum class DataParallel {
  kReplicated,      // "ddp": all of them everywhere; gradients are summed
  kShardGradients,  // "sdp", ZeRO-2: whole weights while a step computes, a share of the rest
  kShardAll,        // "fsdp", ZeRO-3: whole weights of the layer that computes, a share of the rest
};

enum class TrainedPart {
  kAll,        // everything but CLIP, as published
  kLora,       // low-rank updates of the language model's products, and the projector
  kProjector,  // what lies between CLIP and the language model: resampler, projections, tags
};

enum class TrainingType { kFloat32, kBFloat16, kFloat64 };  // kFloat64: for comparing

struct LoraOptions {
  int rank = 8;
  double alpha = 16;  // the update is alpha / rank * B A
  // Products of the language model's layers, by their published names.
  std::vector<std::string> targets = {"wq", "wk", "wv", "wo"};

  double scale() const { return alpha / rank; }
};

// One process of the job.
struct JobRank {
  int rank = 0;
  int count = 1;
  int local_rank = 0;
  // Where rank 0 listens, or where the agent of torchrun does.
  std::string host = "127.0.0.1";
  int port = 29500;
  // torchrun keeps the store in its agent: nobody here listens, and keys are those of one restart.
  bool has_agent_store = false;
  std::string store_prefix;
};

// One question to learn from, with the files of its scenes.
struct TrainingItem {
  Item item;
  std::vector<std::filesystem::path> media;  // one a scene
};

struct FinetuneOptions {
  // What is trained.
  std::filesystem::path checkpoint;  // a folder or a file
  std::filesystem::path config;      // params.json; empty: beside the checkpoint, or 7B
  std::filesystem::path tokenizer;   // empty: beside the checkpoint
  std::vector<TrainingItem> items;
  std::vector<TrainingItem> validation;  // empty: none
  std::filesystem::path output;

  // As the published script, its defects included.
  bool is_compat = false;
  std::string prompt_template;    // empty: that of the evaluation; of no use under is_compat
  std::int64_t max_words = 0;     // tokens of text and scenes; 0: no bound (180 under is_compat)
  std::int64_t image_words = 30;  // rows of a scene, for that bound

  // How it is trained.
  std::int64_t epochs = 1;
  std::int64_t max_steps = 0;     // optimizer steps in all; 0: as many as the epochs have
  std::int64_t batch_size = 2;    // questions of a process that make a batch
  std::int64_t accumulation = 1;  // batches of a process that make an optimizer step
  // Questions of a batch that are computed at once, a divisor of batch_size; 0: all, which
  // is_compat needs, as it takes the mean over a batch.
  std::int64_t micro_batch_size = 0;
  double learning_rate = 1e-7;
  double min_learning_rate = 1e-10;
  double warmup_epochs = 1;
  double weight_decay = 0.02;
  double max_gradient_norm = 2;
  std::uint64_t seed = 0;
  TrainedPart trained = TrainedPart::kAll;
  LoraOptions lora;
  bool recomputes = false;  // activations of a layer in the backward pass ("checkpointing")

  // Where.
  TrainingType type = TrainingType::kFloat32;
  std::string device;  // "cpu", "cuda", "cuda:1"; empty: a GPU where there is one
  int num_threads = 0;
  int num_decoders = 0;
  DataParallel data_parallel = DataParallel::kReplicated;
  JobRank job;
  std::filesystem::path feature_store;  // of what frozen CLIP gives; empty: in memory alone

  // What is kept.
  std::int64_t save_steps = 1000;     // between two checkpoints; 0: none between
  double save_minutes = 0;            // the same by the clock; 0: never
  std::int64_t save_epochs = 1;       // also at the end of every so many epochs, and of the last
  int num_kept = 2;                   // checkpoints beside the final model; 0: all
  bool saves_consolidated = false;    // the whole model with each checkpoint too
  bool writes_torch_file = true;      // the final model as consolidated.00-of-01.pth
  bool writes_safetensors = true;     // and as model.safetensors
  std::filesystem::path resume;       // a checkpoint of a run; empty: anew
  bool resumes_latest = true;         // goes on with the newest one in `output`
  std::filesystem::path log_folder;   // TensorBoard's event files; empty: none
  std::int64_t validation_steps = 0;  // between two validations; 0: at the end of an epoch
  // Validations without a better accuracy that end the training; 0: never.
  int early_stop = 0;

  const media::MediaDecoder* decoder = nullptr;  // outlives the training
};

struct FinetuneProgress {
  std::int64_t epoch = 0;  // from 0
  std::int64_t step = 0;   // optimizer steps done, in all
  std::int64_t total_steps = 0;
  double loss = 0;  // mean over the labelled tokens of the step
  double learning_rate = 0;
  double gradient_norm = 0;        // before it was clipped
  double tokens_per_s = 0;         // positions through the language model, of all processes
  std::uint64_t memory_bytes = 0;  // peak of this process, on its device
  double seconds_left = 0;
};

struct FinetuneObserver {
  std::function<void(const FinetuneProgress&)> progress;  // after every step
  std::function<void(const std::string&)> tell;           // one line for people
};

struct FinetuneOutcome {
  bool is_complete = false;  // false: stopped before its end, and saved
  std::int64_t steps = 0;
  double last_loss = 0;
  double seconds = 0;             // of this start's steps, without set-up, validation and saving
  double num_positions = 0;       // of what was learnt from meanwhile, of all processes
  std::int64_t num_left_out = 0;  // items that could not be learnt from
  std::optional<double> validation_accuracy;
  std::filesystem::path model;  // the folder to evaluate; empty unless complete
};

}  // namespace contra4
