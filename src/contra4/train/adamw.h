// AdamW over the shards of units.
#pragma once

#include <cstdint>
#include <vector>

#include <ATen/core/Tensor.h>

#include "contra4/train/unit.h"

namespace contra4::train {

struct AdamWOptions {
  double beta1 = 0.9;
  double beta2 = 0.95;
  double eps = 1e-8;
  double weight_decay = 0.02;    // of parameters that decay, decoupled
  double max_gradient_norm = 2;  // 0: gradients are left alone
};

// Source: Loshchilov and Hutter, "Decoupled Weight Decay Regularization", 2019; parameters as
// csuhan/OneLLM 8587a47, main_finetune.py. By libtorch's fused kernel.
class AdamW {
 public:
  // Units and group outlive this.
  AdamW(std::vector<Unit*> units, const AdamWOptions& options, ProcessGroup* group);

  // 2-norm of all gradients of all processes. Gradients are then scaled to max_gradient_norm if it
  // is above: by max / (norm + 1e-6).
  double clip();
  // One step with the gradients as they are, which are 0 afterwards; touches the units.
  void step(double learning_rate);

  // Of the i-th unit, flat like its master().
  const at::Tensor& first_moment(std::size_t unit) const { return moments_[unit].first; }
  const at::Tensor& second_moment(std::size_t unit) const { return moments_[unit].second; }
  std::int64_t num_steps() const { return num_steps_; }
  // After moments were loaded into first_moment() and second_moment().
  void set_num_steps(std::int64_t num_steps) { num_steps_ = num_steps; }

 private:
  struct Moments {
    at::Tensor first;
    at::Tensor second;
  };
  std::vector<Unit*> units_;
  AdamWOptions options_;
  ProcessGroup* group_;
  std::vector<Moments> moments_;
  std::int64_t num_steps_ = 0;
};

}  // namespace contra4::train
