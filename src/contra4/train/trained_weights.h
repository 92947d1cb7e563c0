// The weights of a training: those that change as units, the others as they are.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <ATen/core/Tensor.h>

#include "contra4/inference/finetune.h"
#include "contra4/models/onellm/sizes.h"
#include "contra4/tensor/checkpoint.h"
#include "contra4/train/process_group.h"
#include "contra4/train/unit.h"

namespace contra4::train {

struct TrainedWeightsOptions {
  TrainedPart trained = TrainedPart::kAll;
  LoraOptions lora;
  std::uint64_t seed = 0;  // of the low-rank updates' first halves
  UnitOptions unit;
};

class TrainedWeights {
 public:
  // `group` outlives this. Tensors of `source` that are trained are copied, the others too unless
  // they have the type and lie on the CPU; what was copied is given back to the system.
  TrainedWeights(const tensor::Checkpoint& source, const models::onellm::Sizes& sizes,
                 const TrainedWeightsOptions& options, ProcessGroup* group);
  ~TrainedWeights();
  TrainedWeights(const TrainedWeights&) = delete;
  TrainedWeights& operator=(const TrainedWeights&) = delete;

  Unit* root() const { return units_.front().get(); }
  std::vector<Unit*> layers() const;
  std::vector<Unit*> units() const;  // the root first
  // All that the network looks at: leaves of units, and the frozen ones.
  const tensor::Checkpoint& checkpoint() const { return *checkpoint_; }

  // Names of the tensors of `source` that are other ones now, unit by unit; low-rank updates stand
  // for the products they are added to.
  std::vector<std::string> changed_names() const;
  // Every changed tensor in that order, whole, in the master type on the CPU. All processes call
  // it; rank 0 alone is given them. A unit is in memory at a time.
  void collect(const tensor::Checkpoint& source,
               const std::function<void(const std::string&, const at::Tensor&)>& take) const;

 private:
  void fill(Unit& unit, const tensor::Checkpoint& source, const TrainedWeightsOptions& options);
  void take_unit(const Unit& unit, const at::Tensor& flat, const tensor::Checkpoint& source,
                 const std::function<void(const std::string&, const at::Tensor&)>& take) const;

  double lora_scale_ = 1;
  int rank_ = 0;
  std::vector<std::unique_ptr<Unit>> units_;
  std::unique_ptr<tensor::Checkpoint> checkpoint_;
};

}  // namespace contra4::train
