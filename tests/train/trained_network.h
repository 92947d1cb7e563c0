// A network over leaves without units, for tests of what it computes.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <ATen/core/Tensor.h>
#include <ATen/ops/zeros.h>

#include "contra4/models/onellm/sizes.h"
#include "contra4/tensor/checkpoint.h"
#include "contra4/train/onellm_network.h"
#include "tests/support/tensors.h"

namespace contra4::testing {

struct TrainedNetwork {
  TrainedNetwork(const tensor::Checkpoint& source, const models::onellm::Sizes& sizes,
                 const train::NetworkOptions& options, const LoraOptions& lora = {})
      : plans(train::plan_units(source, sizes, options.trained, lora)) {
    std::vector<std::pair<std::string, at::Tensor>> tensors;
    for (const train::UnitPlan& plan : plans) {
      for (const train::ParameterPlan& parameter : plan.parameters) {
        const auto stored = source.find(parameter.name);
        at::Tensor value = at::zeros(parameter.shape);
        if (stored) value = *stored;
        if (parameter.name.ends_with(".lora_a")) value = wavy(parameter.shape);
        const at::Tensor leaf = value.to(options.dtype, /*non_blocking=*/false, /*copy=*/true);
        leaves.emplace(parameter.name, leaf.requires_grad_());
        tensors.emplace_back(parameter.name, leaf);
      }
    }
    for (const std::string& name : source.names()) {
      if (leaves.contains(name) || !models::onellm::is_used(name)) continue;
      tensors.emplace_back(name, source.find(name)->to(options.dtype));
    }
    weights.emplace(tensor::Checkpoint::of_tensors(std::move(tensors), "test"));
    network = std::make_unique<train::OnellmNetwork>(*weights, sizes, options);
  }

  void zero_gradients() {
    for (auto& [name, leaf] : leaves) leaf.mutable_grad().reset();
  }

  std::vector<train::UnitPlan> plans;
  std::map<std::string, at::Tensor> leaves;
  std::optional<tensor::Checkpoint> weights;
  std::unique_ptr<train::OnellmNetwork> network;
};

}  // namespace contra4::testing
