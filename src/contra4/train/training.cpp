#include "contra4/train/training.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include <ATen/ops/tensor.h>
#include <c10/core/GradMode.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "contra4/base/error.h"
#include "contra4/models/device/memory.h"

namespace contra4::train {

namespace {

bool is_finite(double value) {
  return std::isfinite(value);
}

}  // namespace

std::int64_t Training::MicroBatch::num_labels(std::size_t i) const {
  return counts[i] && !shown[i].error ? items[i]->text.num_labels() : 0;
}

Training::Training(const FinetuneOptions& options, const FinetuneObserver& observer,
                   ProcessGroup& group)
    : options_(options), observer_(observer), group_(group) {
  read_model();
  read_items();
  make_weights();
  open_output();
}

Training::~Training() = default;

void Training::tell(const std::string& words) const {
  if (group_.rank() == 0 && observer_.tell) observer_.tell(words);
}

std::vector<Training::MicroBatch> Training::load_step(std::int64_t epoch, std::int64_t step,
                                                      const std::stop_token& stop) {
  std::vector<MicroBatch> batches;
  std::vector<const LearntItem*> all;
  for (const auto& places : sampler_->step(epoch, step, group_.rank())) {
    MicroBatch& batch = batches.emplace_back();
    for (const BatchPlace& place : places) {
      batch.items.push_back(&set_.items[static_cast<std::size_t>(place.item)]);
      batch.counts.push_back(place.counts);
      all.push_back(batch.items.back());
    }
  }
  std::vector<ShownMedia> shown = media_->fetch(all, stop);
  if (shown.empty()) return {};
  std::size_t next = 0;
  for (MicroBatch& batch : batches) {
    for (std::size_t i = 0; i < batch.items.size(); ++i) batch.shown.push_back(shown[next++]);
  }
  return batches;
}

void Training::prefetch_step(std::int64_t epoch, std::int64_t step) {
  if (step == sampler_->steps_per_epoch()) {
    ++epoch;
    step = 0;
  }
  if (epoch == options_.epochs) return;
  std::vector<const LearntItem*> items;
  for (const auto& places : sampler_->step(epoch, step, group_.rank())) {
    for (const BatchPlace& place : places) {
      items.push_back(&set_.items[static_cast<std::size_t>(place.item)]);
    }
  }
  media_->prefetch(items);
}

Example Training::example_of(const MicroBatch& batch, std::size_t i) const {
  const LearntItem& item = *batch.items[i];
  Example example;
  example.ids = item.text.ids;
  if (batch.num_labels(i) > 0) example.labels = item.text.labels;
  example.modalities = item.modalities;
  for (const auto& scene : batch.shown[i].scenes) example.media.push_back(scene.get());
  example.shows_last_scene_only = options_.is_compat;
  return example;
}

// What all processes have to know of a step before it is computed.
Training::Agreement Training::agree(const std::vector<MicroBatch>& batches, bool stops) {
  double num_labels = 0;
  double num_positions = 0;
  double num_failed = 0;
  for (const MicroBatch& batch : batches) {
    for (std::size_t i = 0; i < batch.items.size(); ++i) {
      if (!batch.counts[i]) continue;
      num_labels += static_cast<double>(batch.num_labels(i));
      num_positions += static_cast<double>(network_->length_of(example_of(batch, i)));
      if (batch.shown[i].error) num_failed += 1;
    }
  }
  const bool wants_save =
      options_.save_minutes > 0 && group_.rank() == 0 &&
      Pace::seconds(Pace::Clock::now() - pace_.last_save) > 60 * options_.save_minutes;
  const at::Tensor sums =
      at::tensor({num_labels, num_positions, num_failed, stops ? 1.0 : 0.0, wants_save ? 1.0 : 0.0},
                 at::kDouble)
          .to(device_);
  group_.all_reduce(sums)->wait();
  const at::Tensor told = sums.cpu();
  const auto sum = told.accessor<double, 1>();
  num_without_media_ += static_cast<std::int64_t>(sum[2]);
  return {.num_labels = sum[0], .num_positions = sum[1], .stops = sum[3] > 0, .saves = sum[4] > 0};
}

// -> the loss of the step. Gradients are in the units.
double Training::compute_gradients(const std::vector<MicroBatch>& batches,
                                   const Agreement& agreement) {
  double loss = 0;
  for (std::size_t m = 0; m < batches.size(); ++m) {
    const MicroBatch& batch = batches[m];
    std::vector<Example> examples;
    double num_labels = 0;
    for (std::size_t i = 0; i < batch.items.size(); ++i) {
      examples.push_back(example_of(batch, i));
      num_labels += static_cast<double>(batch.num_labels(i));
    }
    // The mean over all labelled tokens of the step; as published that over processes and
    // micro-batches of the mean over each.
    const double divisor =
        options_.is_compat
            ? std::max(num_labels, 1.0) * static_cast<double>(batches.size()) * group_.size()
            : std::max(agreement.num_labels, 1.0);
    runner_->begin(/*is_last=*/m + 1 == batches.size());
    const at::Tensor part = network_->loss_sum(examples, *runner_).div(divisor);
    loss += part.item<double>();
    part.backward();
    runner_->end();
  }
  const at::Tensor sum = at::tensor({loss}, at::kDouble).to(device_);
  group_.all_reduce(sum)->wait();
  return sum.item<double>();
}

// Each item by itself, so that the guilty ones are named.
void Training::refuse_loss(const std::vector<MicroBatch>& batches, double loss) {
  const c10::AutoGradMode no_gradients(false);
  std::vector<std::string> guilty;
  runner_->begin_inference();
  for (const MicroBatch& batch : batches) {
    for (std::size_t i = 0; i < batch.items.size(); ++i) {
      const Example example = example_of(batch, i);
      const double alone = network_->loss_sum({&example, 1}, *runner_).item<double>();
      if (!is_finite(alone)) guilty.push_back(batch.items[i]->id);
    }
  }
  runner_->end_inference();
  const std::string where =
      guilty.empty() ? "no item of this process alone; the weights or another process's items are"
                     : fmt::format("item {} is", fmt::join(guilty, ", "));
  throw Exception(ErrorCode::kDataLoss,
                  fmt::format("step {}: the loss is {}: {} at fault. Nothing of this step was "
                              "saved; a smaller --lr may help, or leaving the item out",
                              position_.global_step + 1, loss, where));
}

void Training::tell_failed_media(const std::vector<MicroBatch>& batches) {
  for (const MicroBatch& batch : batches) {
    for (std::size_t i = 0; i < batch.items.size(); ++i) {
      if (!batch.shown[i].error || !batch.counts[i] || !observer_.tell) continue;
      observer_.tell(
          fmt::format("left out: {}: {}", batch.items[i]->id, batch.shown[i].error->message));
    }
  }
}

bool Training::is_over() const {
  return position_.epoch >= options_.epochs || position_.global_step >= total_steps_ ||
         (options_.early_stop > 0 && position_.num_without_better >= options_.early_stop);
}

bool Training::train_step(const std::stop_token& stop) {
  pace_.step_start = Pace::Clock::now();
  std::vector<MicroBatch> batches = load_step(position_.epoch, position_.step_in_epoch, stop);
  const Agreement agreement = agree(batches, batches.empty() || stop.stop_requested());
  if (agreement.stops) {
    save();
    return false;
  }
  tell_failed_media(batches);
  prefetch_step(position_.epoch, position_.step_in_epoch + 1);
  const double epochs_done =
      static_cast<double>(position_.epoch) + static_cast<double>(position_.step_in_epoch) /
                                                 static_cast<double>(sampler_->steps_per_epoch());
  const double rate = learning_rate({.peak = options_.learning_rate,
                                     .floor = options_.min_learning_rate,
                                     .warmup_epochs = options_.warmup_epochs,
                                     .epochs = static_cast<double>(total_steps_) /
                                               static_cast<double>(sampler_->steps_per_epoch())},
                                    epochs_done);
  double loss = 0;
  double norm = 0;
  if (agreement.num_labels > 0) {
    loss = compute_gradients(batches, agreement);
    if (!is_finite(loss)) refuse_loss(batches, loss);
    norm = optimizer_->clip();
    if (!is_finite(norm)) {
      throw Exception(ErrorCode::kDataLoss,
                      fmt::format("step {}: the loss is {} and the gradient {}. Nothing of this "
                                  "step was saved; a smaller --lr may help",
                                  position_.global_step + 1, loss, norm));
    }
    optimizer_->step(rate);
  }
  ++position_.step_in_epoch;
  ++position_.global_step;
  last_loss_ = loss;
  report({.epoch = position_.epoch,
          .step = position_.global_step,
          .loss = loss,
          .learning_rate = rate,
          .gradient_norm = norm},
         agreement.num_positions);
  const bool is_due =
      options_.validation_steps > 0 && position_.global_step % options_.validation_steps == 0;
  if (is_due && !validate(stop)) return false;
  const bool saves = options_.save_steps > 0 && position_.global_step % options_.save_steps == 0;
  if (saves || agreement.saves) save();
  return true;
}

void Training::report(const StepRecord& record, double num_positions) {
  const auto now = Pace::Clock::now();
  const double seconds = Pace::seconds(now - pace_.step_start);
  ++pace_.steps;
  pace_.step_seconds += seconds;
  pace_.num_positions += num_positions;
  if (log_) log_->add(record);
  if (group_.rank() != 0 || !observer_.progress) return;
  const double each = Pace::seconds(now - pace_.start) / static_cast<double>(pace_.steps);
  observer_.progress(
      {.epoch = record.epoch,
       .step = record.step,
       .total_steps = total_steps_,
       .loss = record.loss,
       .learning_rate = record.learning_rate,
       .gradient_norm = record.gradient_norm,
       .tokens_per_s = num_positions / std::max(seconds, 1e-9),
       .memory_bytes = models::peak_memory(device_),
       .seconds_left = each * static_cast<double>(total_steps_ - position_.global_step)});
}

bool Training::validate(const std::stop_token& stop) {
  if (!validation_ || validated_at_ == position_.global_step) return true;
  const auto score = validation_->run(*network_, *runner_, *media_, group_, stop);
  if (!score) {
    save();
    return false;
  }
  validated_at_ = position_.global_step;
  last_accuracy_ = score->accuracy();
  if (log_) log_->add_accuracy(position_.global_step, score->accuracy());
  tell(fmt::format(
      "step {}: {} of {} validation items right ({:.1f}%){}", position_.global_step,
      score->num_correct, score->num_asked + score->num_failed, 100 * score->accuracy(),
      score->num_failed > 0
          ? fmt::format(", {} of them wrong because a medium cannot be read", score->num_failed)
          : ""));
  if (score->accuracy() > position_.best_accuracy) {
    position_.best_accuracy = score->accuracy();
    position_.num_without_better = 0;
  } else {
    ++position_.num_without_better;
  }
  return true;
}

void Training::end_epoch() {
  if (log_) {
    log_->end_epoch(position_.epoch,
                    validated_at_ == position_.global_step ? last_accuracy_ : std::nullopt);
  }
  ++position_.epoch;
  position_.step_in_epoch = 0;
  const bool saves = options_.save_epochs > 0 && position_.epoch % options_.save_epochs == 0;
  if (saves || is_over()) save();
}

bool Training::train_epoch(const std::stop_token& stop) {
  while (position_.step_in_epoch < sampler_->steps_per_epoch() && !is_over()) {
    if (!train_step(stop)) return false;
  }
  const bool is_whole = position_.step_in_epoch == sampler_->steps_per_epoch();
  if (is_whole && options_.validation_steps == 0 && !validate(stop)) return false;
  if (is_whole) end_epoch();
  return true;
}

FinetuneOutcome Training::run(const std::stop_token& stop) {
  FinetuneOutcome outcome;
  outcome.num_left_out = std::ssize(set_.left_out);
  if (is_over() && has_model()) {
    tell(fmt::format("all {} steps were done before, nothing to do", position_.global_step));
    outcome.is_complete = true;
    outcome.steps = position_.global_step;
    outcome.model = options_.output;
    return outcome;
  }
  bool is_complete = true;
  if (position_.global_step > 0 || position_.epoch > 0) {
    tell(fmt::format("going on after step {} of {}", position_.global_step, total_steps_));
  }
  while (is_complete && !is_over()) is_complete = train_epoch(stop);
  if (is_complete) is_complete = validate(stop);
  if (is_complete) {
    if (position_.step_in_epoch > 0) save();  // max_steps or early_stop end within an epoch
    write_model(options_.output, /*is_final=*/true);
    outcome.model = options_.output;
  }
  outcome.is_complete = is_complete;
  outcome.steps = position_.global_step;
  outcome.last_loss = last_loss_;
  outcome.seconds = pace_.step_seconds;
  outcome.num_positions = pace_.num_positions;
  outcome.num_left_out += num_without_media_;
  outcome.validation_accuracy = last_accuracy_;
  return outcome;
}

}  // namespace contra4::train
