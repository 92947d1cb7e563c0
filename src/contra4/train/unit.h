// The weights that are gathered, used and reduced together: those of one layer, or all that belong
// to none.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <ATen/core/Tensor.h>

#include "contra4/train/process_group.h"

namespace contra4::train {

struct ParameterPlan {
  std::string name;
  std::vector<std::int64_t> shape;
  bool decays = true;  // weight decay

  std::int64_t num_elements() const;
};

struct UnitPlan {
  std::string name;  // "llma.layers.3"; empty: the root
  std::vector<ParameterPlan> parameters;

  std::int64_t num_elements() const;
};

struct UnitOptions {
  DataParallel data_parallel = DataParallel::kReplicated;
  at::ScalarType master_type = at::kFloat;   // float32, or float64
  at::ScalarType compute_type = at::kFloat;  // that of the weights while they are used
  at::Device device = at::kCPU;
};

// Laid side by side in one flat buffer, those that decay first, filled up to a multiple of the
// number of processes. Of the flat buffer this process keeps its share as master weights ("shard");
// under kReplicated the whole.
//
// The weights are leaves of the compute type that want gradients, views into a flat buffer whose
// memory is there between gather() and release(): layers hold them once and for all, and what
// autograd has saved of them is right again after another gather(). With one process, or
// replicated, and the same type for both, the flat buffer is the shard itself: gather() and
// release() do nothing.
class Unit {
 public:
  // `group` outlives this. Master weights are 0.
  Unit(UnitPlan plan, const UnitOptions& options, ProcessGroup* group);
  ~Unit();
  Unit(const Unit&) = delete;
  Unit& operator=(const Unit&) = delete;

  const UnitPlan& plan() const;  // parameters in the order of the flat buffer
  // In the order of plan().parameters. Their .grad are views into one flat buffer too.
  const std::vector<at::Tensor>& weights() const;

  // Copies what of a whole parameter falls into this process's share; any type and device.
  void set(std::size_t parameter, const at::Tensor& value);

  // Weights. begin_gather() lets it happen meanwhile; both do nothing when they are there already.
  void begin_gather();
  void gather();
  void release();  // under kReplicated nothing
  bool is_whole() const;
  // The shard is a part: other processes keep the rest. Not with one process or replicated.
  bool is_shared() const;
  // The master weights have changed: gather() is due again. Weights must be released or replicated.
  void touch();

  // Gradients. Before a backward pass reaches the layer: memory for them, 0 at first.
  void prepare_gradients();
  // After it: adds the sum over all processes to gradient(), in the master type, while other things
  // go on. Under kReplicated only the last of several micro-batches is to be summed (`is_last`),
  // before that gradients stay with each process.
  void begin_reduce(bool is_last);
  void finish_reduce();

  // What this process keeps, flat: [shard_size()] of the master type. Elements of the flat buffer
  // from shard_begin() on; the last ones may be beyond plan().num_elements(), and are 0.
  const at::Tensor& master() const;
  const at::Tensor& gradient() const;  // of the weights, summed over what was reduced
  void zero_gradient();
  std::int64_t shard_begin() const;
  std::int64_t shard_size() const;
  // How many of the shard's elements, from its first on, belong to parameters that decay.
  std::int64_t num_decaying() const;

  // The whole flat buffer in the master type on the CPU, without what fills it up: for writing a
  // model. All processes call it; only rank 0 is given it, the others an undefined tensor.
  at::Tensor collect() const;

  // Memory held now, for comparing with what was promised.
  std::uint64_t num_bytes() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace contra4::train
