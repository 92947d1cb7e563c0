#include "contra4/train/adamw.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include <ATen/core/grad_mode.h>
#include <ATen/ops/_fused_adamw.h>
#include <ATen/ops/dot.h>
#include <ATen/ops/full.h>
#include <ATen/ops/zeros.h>

#include "contra4/base/error.h"

namespace contra4::train {
namespace {

// Elements of a gradient that are squared at once: as doubles they stay in a processor's cache, and
// are enough work for a GPU.
constexpr std::int64_t kCpuPiece = 1 << 16;
constexpr std::int64_t kGpuPiece = 1 << 24;

// [1], double, on the gradient's device.
at::Tensor sum_of_squares(const at::Tensor& gradient) {
  at::Tensor sum = at::zeros({1}, gradient.options().dtype(at::kDouble));
  const std::int64_t piece = gradient.is_cpu() ? kCpuPiece : kGpuPiece;
  for (std::int64_t begin = 0; begin < gradient.numel(); begin += piece) {
    const at::Tensor values =
        gradient.narrow(0, begin, std::min(piece, gradient.numel() - begin)).to(at::kDouble);
    sum.add_(at::dot(values, values));
  }
  return sum;
}

// The lists that the fused kernel takes, of parameters with one weight decay.
struct Lists {
  std::vector<at::Tensor> weights, gradients, first, second, steps;
};

void append_range(Lists& lists, const Unit& unit, const at::Tensor& first, const at::Tensor& second,
                  const at::Tensor& step, std::int64_t begin, std::int64_t end) {
  if (begin == end) return;
  const auto range = [=](const at::Tensor& flat) { return flat.narrow(0, begin, end - begin); };
  lists.weights.push_back(range(unit.master()));
  lists.gradients.push_back(range(unit.gradient()));
  lists.first.push_back(range(first));
  lists.second.push_back(range(second));
  lists.steps.push_back(step);
}

void update(const Lists& lists, double learning_rate, double weight_decay,
            const AdamWOptions& options) {
  if (lists.weights.empty()) return;
  at::_fused_adamw_(lists.weights, lists.gradients, lists.first, lists.second, {}, lists.steps,
                    learning_rate, options.beta1, options.beta2, weight_decay, options.eps,
                    /*amsgrad=*/false, /*maximize=*/false);
}

}  // namespace

AdamW::AdamW(std::vector<Unit*> units, const AdamWOptions& options, ProcessGroup* group)
    : units_(std::move(units)), options_(options), group_(group) {
  for (const Unit* unit : units_) {
    CONTRA4_CHECK(unit->is_shared() == units_.front()->is_shared(), "all units share, or none");
    const at::TensorOptions like = unit->master().options();
    moments_.push_back(
        {at::zeros({unit->shard_size()}, like), at::zeros({unit->shard_size()}, like)});
  }
}

double AdamW::clip() {
  if (units_.empty()) return 0;
  const at::NoGradGuard guard;
  at::Tensor sum = at::zeros({1}, units_[0]->master().options().dtype(at::kDouble));
  for (const Unit* unit : units_) sum.add_(sum_of_squares(unit->gradient()));
  // Where nothing is shared every process has the whole sum already.
  if (units_[0]->is_shared()) group_->all_reduce(sum)->wait();
  const double norm = std::sqrt(sum.item<double>());
  if (options_.max_gradient_norm > 0 && norm > options_.max_gradient_norm) {
    const double factor = options_.max_gradient_norm / (norm + 1e-6);
    for (const Unit* unit : units_) {
      at::Tensor gradient = unit->gradient();
      gradient.mul_(factor);
    }
  }
  return norm;
}

void AdamW::step(double learning_rate) {
  const at::NoGradGuard guard;
  ++num_steps_;
  Lists decaying;
  Lists others;
  for (std::size_t i = 0; i < units_.size(); ++i) {
    const Unit& unit = *units_[i];
    const auto& [first, second] = moments_[i];
    const at::Tensor step =
        at::full({}, static_cast<double>(num_steps_), unit.master().options().dtype(at::kFloat));
    append_range(decaying, unit, first, second, step, 0, unit.num_decaying());
    append_range(others, unit, first, second, step, unit.num_decaying(), unit.shard_size());
  }
  update(decaying, learning_rate, options_.weight_decay, options_);
  update(others, learning_rate, 0, options_);
  for (Unit* unit : units_) {
    unit->zero_gradient();
    unit->touch();
  }
}

}  // namespace contra4::train
