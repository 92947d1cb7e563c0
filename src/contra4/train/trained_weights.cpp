#include "contra4/train/trained_weights.h"

#include <cmath>
#include <optional>
#include <set>
#include <utility>

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/ops/empty.h>
#include <fmt/format.h>

#include "contra4/base/error.h"
#include "contra4/base/hash.h"
#include "contra4/train/onellm_network.h"

namespace contra4::train {

namespace {

constexpr std::string_view kLoraIn = ".lora_a";
constexpr std::string_view kLoraOut = ".lora_b";

// The tensor of the checkpoint that a low-rank update belongs to: "x.lora_a" -> "x.weight"; empty
// for any other name.
std::optional<std::string> updated_name(std::string_view name) {
  for (const std::string_view end : {kLoraIn, kLoraOut}) {
    if (name.ends_with(end)) {
      return std::string(name.substr(0, name.size() - end.size())) + ".weight";
    }
  }
  return std::nullopt;
}

// The first half of an update: uniform within 1 / sqrt(in), as torch.nn.Linear begins and the peft
// library with it; drawn by name, so that every process draws the same whatever it holds.
at::Tensor first_lora(const ParameterPlan& parameter, std::uint64_t seed) {
  auto generator = at::detail::createCPUGenerator(seed ^ stable_hash64(parameter.name));
  const double bound = 1 / std::sqrt(static_cast<double>(parameter.shape.back()));
  return at::empty(parameter.shape).uniform_(-bound, bound, generator);
}

}  // namespace

TrainedWeights::TrainedWeights(const tensor::Checkpoint& source, const models::onellm::Sizes& sizes,
                               const TrainedWeightsOptions& options, ProcessGroup* group)
    : lora_scale_(options.lora.scale()), rank_(group->rank()) {
  std::vector<std::pair<std::string, at::Tensor>> tensors;
  std::set<std::string> trained;
  for (UnitPlan& plan : plan_units(source, sizes, options.trained, options.lora)) {
    auto unit = std::make_unique<Unit>(std::move(plan), options.unit, group);
    fill(*unit, source, options);
    const auto& parameters = unit->plan().parameters;
    for (std::size_t i = 0; i < parameters.size(); ++i) {
      tensors.emplace_back(parameters[i].name, unit->weights()[i]);
      trained.insert(parameters[i].name);
    }
    units_.push_back(std::move(unit));
  }
  CONTRA4_CHECK(!units_.empty() && units_.front()->plan().name.empty(), "the root comes first");
  for (const std::string& name : source.names()) {
    if (trained.contains(name) || !models::onellm::is_used(name)) continue;
    const at::Tensor stored = *source.find(name);
    at::Tensor placed = stored.to(options.unit.device, options.unit.compute_type);
    if (!placed.is_same(stored)) source.release(name);
    tensors.emplace_back(name, std::move(placed));
  }
  checkpoint_ = std::make_unique<tensor::Checkpoint>(
      tensor::Checkpoint::of_tensors(std::move(tensors), source.description() + " in training"));
}

TrainedWeights::~TrainedWeights() = default;

void TrainedWeights::fill(Unit& unit, const tensor::Checkpoint& source,
                          const TrainedWeightsOptions& options) {
  const auto& parameters = unit.plan().parameters;
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    const ParameterPlan& parameter = parameters[i];
    if (parameter.name.ends_with(kLoraIn)) {
      unit.set(i, first_lora(parameter, options.seed));
    } else if (!parameter.name.ends_with(kLoraOut)) {  // second halves begin at 0
      unit.set(i, source.get(parameter.name, parameter.shape));
      source.release(parameter.name);
    }
  }
  unit.touch();
}

std::vector<Unit*> TrainedWeights::layers() const {
  std::vector<Unit*> layers;
  for (std::size_t i = 1; i < units_.size(); ++i) layers.push_back(units_[i].get());
  return layers;
}

std::vector<Unit*> TrainedWeights::units() const {
  std::vector<Unit*> units;
  for (const auto& unit : units_) units.push_back(unit.get());
  return units;
}

std::vector<std::string> TrainedWeights::changed_names() const {
  std::vector<std::string> names;
  for (const auto& unit : units_) {
    for (const ParameterPlan& parameter : unit->plan().parameters) {
      if (parameter.name.ends_with(kLoraOut)) continue;  // stands for both halves' product already
      names.push_back(updated_name(parameter.name).value_or(parameter.name));
    }
  }
  return names;
}

void TrainedWeights::collect(
    const tensor::Checkpoint& source,
    const std::function<void(const std::string&, const at::Tensor&)>& take) const {
  for (const auto& unit : units_) {
    const at::Tensor flat = unit->collect();
    if (rank_ == 0) take_unit(*unit, flat, source, take);
  }
}

void TrainedWeights::take_unit(
    const Unit& unit, const at::Tensor& flat, const tensor::Checkpoint& source,
    const std::function<void(const std::string&, const at::Tensor&)>& take) const {
  std::map<std::string, at::Tensor> by_name;
  std::int64_t begin = 0;
  for (const ParameterPlan& parameter : unit.plan().parameters) {
    const std::int64_t count = parameter.num_elements();
    by_name.emplace(parameter.name, flat.narrow(0, begin, count).view(parameter.shape));
    begin += count;
  }
  for (const ParameterPlan& parameter : unit.plan().parameters) {
    if (parameter.name.ends_with(kLoraOut)) continue;
    const auto updated = updated_name(parameter.name);
    if (!updated) {
      take(parameter.name, by_name.at(parameter.name));
      continue;
    }
    const at::Tensor& in = by_name.at(parameter.name);
    const std::string out_name =
        parameter.name.substr(0, parameter.name.size() - kLoraIn.size()) + std::string(kLoraOut);
    const at::Tensor& out = by_name.at(out_name);
    const at::Tensor stored = source.get(*updated, {out.size(0), in.size(1)});
    take(*updated, stored.to(flat.scalar_type()).add(out.matmul(in), lora_scale_));
  }
}

}  // namespace contra4::train
