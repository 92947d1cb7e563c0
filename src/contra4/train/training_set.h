// The questions of a training: what is read of them, and what they show.
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "contra4/base/error.h"
#include "contra4/data/modality.h"
#include "contra4/inference/finetune.h"
#include "contra4/text/sentence_piece.h"
#include "contra4/train/training_text.h"

namespace contra4::train {

struct LearntItem {
  std::string id;
  TrainingText text;
  std::vector<Modality> modalities;
  std::vector<std::filesystem::path> media;  // one a scene
  int answer = 0;                            // index of the scene
};

struct LeftOutItem {
  std::string id;
  Error error;
};

struct TrainingSet {
  std::vector<LearntItem> items;
  std::vector<LeftOutItem> left_out;
  // Of each item, for BatchSampler: items that show the same modalities in the same order share it.
  std::vector<std::int64_t> groups;
};

TrainingSet make_training_set(const text::SentencePiece& tokenizer,
                              std::span<const TrainingItem> items,
                              const TrainingTextOptions& options);

// For asking: the text is the prompt alone, without labels.
TrainingSet make_validation_set(const text::SentencePiece& tokenizer,
                                std::span<const TrainingItem> items,
                                const std::string& prompt_template);

}  // namespace contra4::train
