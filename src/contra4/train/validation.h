// How many questions a model in training answers right, by the rule of the evaluation.
#pragma once

#include <cstdint>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "contra4/text/sentence_piece.h"
#include "contra4/train/batch_media.h"
#include "contra4/train/batch_sampler.h"
#include "contra4/train/onellm_network.h"
#include "contra4/train/process_group.h"
#include "contra4/train/training_set.h"
#include "contra4/train/unit_runner.h"

namespace contra4::train {

struct ValidationScore {
  std::int64_t num_correct = 0;
  std::int64_t num_asked = 0;   // of all processes
  std::int64_t num_failed = 0;  // whose media cannot be read; they count as wrong

  double accuracy() const {
    const std::int64_t total = num_asked + num_failed;
    return total == 0 ? 0 : static_cast<double>(num_correct) / static_cast<double>(total);
  }
};

// As `contra4 evaluate` decides by default: the scene whose name is most likely as the answer, per
// token. All scenes are shown, whatever the training shows.
class Validation {
 public:
  // `batch_size`: questions of a process at once. The tokenizer outlives nothing: what it gives is
  // kept.
  Validation(TrainingSet set, const text::SentencePiece& tokenizer, std::int64_t batch_size,
             const ProcessGroup& group);

  const TrainingSet& set() const { return set_; }
  // All processes call it between two steps. Empty after a stop on any of them.
  std::optional<ValidationScore> run(const OnellmNetwork& network, UnitRunner& runner,
                                     BatchMedia& media, ProcessGroup& group,
                                     const std::stop_token& stop) const;

 private:
  std::vector<std::size_t> choose(const std::vector<const LearntItem*>& items,
                                  const std::vector<ShownMedia>& shown,
                                  const OnellmNetwork& network, UnitRunner& runner) const;

  TrainingSet set_;
  BatchSampler sampler_;
  int rank_ = 0;
  std::vector<std::vector<std::int64_t>> name_ids_;  // of "Scene A" and so on
};

}  // namespace contra4::train
