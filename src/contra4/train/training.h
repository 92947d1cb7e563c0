// One process of a training: steps, validations, checkpoints, and the model at the end.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include <ATen/core/Tensor.h>

#include "contra4/inference/finetune.h"
#include "contra4/models/feature_store.h"
#include "contra4/models/onellm/sizes.h"
#include "contra4/tensor/checkpoint.h"
#include "contra4/text/sentence_piece.h"
#include "contra4/train/adamw.h"
#include "contra4/train/batch_media.h"
#include "contra4/train/batch_sampler.h"
#include "contra4/train/checkpoint_folder.h"
#include "contra4/train/final_model.h"
#include "contra4/train/network_media.h"
#include "contra4/train/onellm_network.h"
#include "contra4/train/process_group.h"
#include "contra4/train/run_log.h"
#include "contra4/train/schedule.h"
#include "contra4/train/trained_weights.h"
#include "contra4/train/training_set.h"
#include "contra4/train/unit_runner.h"
#include "contra4/train/validation.h"

namespace contra4::train {

// Where a process of a job computes. Throws as models::choose_devices().
at::Device training_device(const FinetuneOptions& options);

class Training {
 public:
  // Everything is read and checked; a run that is gone on with is where it was. `group` and
  // `observer` outlive this. Throws kNotFound, kDataLoss, kInvalidArgument, kResourceExhausted.
  Training(const FinetuneOptions& options, const FinetuneObserver& observer, ProcessGroup& group);
  ~Training();
  Training(const Training&) = delete;
  Training& operator=(const Training&) = delete;

  // To the end, or until a stop is asked of any process: saved then, and to be gone on with.
  // Throws kDataLoss for a loss that is no number, naming step and items: nothing of that step is
  // saved.
  FinetuneOutcome run(const std::stop_token& stop);

 private:
  // What this process computes in a step: micro-batches of items with what they show.
  struct MicroBatch {
    std::vector<const LearntItem*> items;
    std::vector<bool> counts;
    std::vector<ShownMedia> shown;

    std::int64_t num_labels(std::size_t i) const;
  };
  // Sums over all processes.
  struct Agreement {
    double num_labels = 0;
    double num_positions = 0;
    bool stops = false;
    bool saves = false;
  };

  // How fast it goes, and when the clock asks for a checkpoint.
  struct Pace {
    using Clock = std::chrono::steady_clock;
    Clock::time_point start = Clock::now();
    Clock::time_point step_start = start;
    Clock::time_point last_save = start;
    std::int64_t steps = 0;  // since the start
    double step_seconds = 0;
    double num_positions = 0;

    static double seconds(Clock::duration duration) {
      return std::chrono::duration<double>(duration).count();
    }
  };

  void read_model();
  void read_items();
  void make_weights();
  void open_output();
  FinalModelOptions model_options(const std::filesystem::path& folder, bool is_final) const;
  void resume(const std::filesystem::path& checkpoint);
  std::vector<UnitShard> unit_shards() const;
  std::vector<std::pair<std::string, std::string>> settings() const;

  std::vector<MicroBatch> load_step(std::int64_t epoch, std::int64_t step,
                                    const std::stop_token& stop);
  void prefetch_step(std::int64_t epoch, std::int64_t step);
  Agreement agree(const std::vector<MicroBatch>& batches, bool stops);
  double compute_gradients(const std::vector<MicroBatch>& batches, const Agreement& agreement);
  Example example_of(const MicroBatch& batch, std::size_t i) const;
  [[noreturn]] void refuse_loss(const std::vector<MicroBatch>& batches, double loss);
  void tell_failed_media(const std::vector<MicroBatch>& batches);

  // False: stopped.
  bool train_epoch(const std::stop_token& stop);
  bool train_step(const std::stop_token& stop);
  bool is_over() const;
  void report(const StepRecord& record, double num_positions);
  // False: stopped.
  bool validate(const std::stop_token& stop);
  void end_epoch();
  void save();
  void write_model(const std::filesystem::path& folder, bool is_final);
  bool has_model() const;
  void tell(const std::string& words) const;

  const FinetuneOptions& options_;
  const FinetuneObserver& observer_;
  ProcessGroup& group_;
  at::Device device_ = at::kCPU;
  at::ScalarType master_type_ = at::kFloat;
  at::ScalarType compute_type_ = at::kFloat;
  std::optional<text::SentencePiece> tokenizer_;
  std::optional<tensor::Checkpoint> source_;
  models::onellm::Sizes sizes_;
  TrainingSet set_;
  std::optional<BatchSampler> sampler_;
  std::int64_t total_steps_ = 0;
  std::optional<Validation> validation_;
  std::optional<TrainedWeights> weights_;
  std::optional<OnellmNetwork> network_;
  std::optional<models::FeatureStore> feature_store_;
  std::optional<NetworkMedia> network_media_;
  std::optional<BatchMedia> media_;
  std::optional<UnitRunner> runner_;
  std::optional<AdamW> optimizer_;
  std::optional<CheckpointFolder> checkpoints_;
  std::optional<RunLog> log_;
  TrainingPosition position_;
  std::optional<double> last_accuracy_;
  std::int64_t validated_at_ = -1;  // step of the last validation
  std::int64_t num_without_media_ = 0;
  double last_loss_ = 0;
  Pace pace_;
};

}  // namespace contra4::train
