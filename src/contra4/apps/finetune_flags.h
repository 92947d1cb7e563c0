// The flags of `contra4 finetune`: those of the published script, all of them, and our own.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include <CLI/App.hpp>

#include "contra4/apps/job.h"

namespace contra4::apps {

// Empty where nothing was given: finetune_options() knows what that means.
struct FinetuneFlags {
  // What is learnt from.
  std::vector<std::filesystem::path> data;
  std::vector<std::filesystem::path> validation;
  std::optional<std::filesystem::path> media_root;

  // The model.
  std::optional<std::filesystem::path> checkpoint;
  std::optional<std::filesystem::path> config;
  std::optional<std::filesystem::path> tokenizer;
  std::optional<std::filesystem::path> init_from;
  std::string llama_type = "onellm";
  std::string trained = "all";
  std::optional<int> lora_rank;
  std::optional<double> lora_alpha;
  std::vector<std::string> lora_targets;
  std::optional<std::string> prompt_template;
  std::optional<std::int64_t> max_words;
  std::int64_t image_words = 30;

  // How it is trained.
  std::int64_t epochs = 1;
  std::int64_t max_steps = 0;
  std::int64_t batch_size = 2;
  std::int64_t accumulation = 1;
  std::optional<std::int64_t> micro_batch_size;
  std::optional<double> learning_rate;
  std::optional<double> min_learning_rate;
  std::optional<double> warmup_epochs;
  std::optional<double> weight_decay;
  double clip_grad = 2;
  std::uint64_t seed = 0;

  // Where.
  std::optional<std::string> precision;
  std::optional<std::string> device;
  std::optional<int> threads;
  std::optional<int> decoders;
  std::optional<std::filesystem::path> feature_store;
  std::string data_parallel = "sdp";
  JobFlags job;

  // What is kept.
  std::filesystem::path output = "./output";
  std::optional<std::filesystem::path> log_dir;
  std::optional<std::filesystem::path> resume;
  std::optional<std::string> save_interval;
  std::optional<std::string> format;
  std::int64_t validation_interval = 0;

  // Of the published script, without effect there and here.
  std::vector<std::string> datasets;

  // Small ones of all groups, side by side.
  int model_parallel_size = 1;
  int keep = 2;  // checkpoints
  int early_stop = 0;
  bool skip_missing_media = false;
  bool compat = false;
  bool checkpointing = false;
  bool overwrite = false;
  bool auto_resume = false;
  bool save_consolidated = false;
  bool dry_run = false;
  bool json = false;
  bool init_from_image = false;  // without effect, as the next two
  bool pin_mem = false;
  bool no_pin_mem = false;
};

void add_finetune_flags(CLI::App& app, FinetuneFlags& flags);

}  // namespace contra4::apps
