// Runs layers whose weights are units: gathers them before, lets them go after, in the forward and
// in the backward pass, and fetches the next ones meanwhile.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "contra4/nn/block_runner.h"
#include "contra4/train/unit.h"

namespace contra4::train {

struct UnitRunnerOptions {
  DataParallel data_parallel = DataParallel::kReplicated;
  // A layer keeps its input alone and computes anew in the backward pass.
  bool recomputes = false;
};

// One training step: begin(), the forward pass through run(), backward of the loss, end(). All
// processes run the same layers in the same order. A layer without a unit (nothing of it is
// trained) is just run, or computed anew under `recomputes`.
class UnitRunner final : public nn::BlockRunner {
 public:
  // The root unit is whole from begin() to end(). Units outlive this; their order does not matter.
  UnitRunner(Unit* root, const std::vector<Unit*>& layers, const UnitRunnerOptions& options);
  ~UnitRunner() override;
  UnitRunner(const UnitRunner&) = delete;
  UnitRunner& operator=(const UnitRunner&) = delete;

  // `is_last`: of the micro-batches of an optimizer step, see Unit::begin_reduce().
  void begin(bool is_last);
  at::Tensor run(std::string_view name, const at::Tensor& x,
                 const nn::BlockFunction& block) override;
  // After backward(): gradients of all units are reduced and in gradient(), weights released.
  // Also units that were not run, or got no gradient: all processes reduce the same ones.
  void end();
  // For a pass without gradients (validation): gathers and releases around layers only.
  void begin_inference();
  void end_inference();

 private:
  struct State;
  std::shared_ptr<State> state_;  // autograd's hooks look whether it is still there
};

}  // namespace contra4::train
