// log.txt of a training's output folder: one JSON object a line and epoch.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>

namespace contra4::train {

// Means over the steps of an epoch.
struct EpochRecord {
  std::int64_t epoch = 0;  // from 0
  double loss = 0;
  double learning_rate = 0;
  double gradient_norm = 0;
  std::optional<double> accuracy;  // on the validation items; empty: not measured
};

// Writes the epoch's line; lines of the same and of later epochs, which an earlier start left, go.
// Other lines stay as they are, whatever they are. Members as published: train_lr, train_grad_norm,
// train_loss, train_iloss, epoch, and val_* with the values of train_* (the published script
// measures nothing else); then val_accuracy where it was measured. Throws as io::AtomicFile.
// Source: contra4_finetune.py of artemisp/contra4-fork, main().
void write_epoch(const std::filesystem::path& path, const EpochRecord& record);

}  // namespace contra4::train
