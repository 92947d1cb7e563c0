#include "contra4/train/unit_runner.h"

#include <algorithm>
#include <cmath>
#include <map>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/allclose.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/tanh.h>
#include <ATen/ops/zeros.h>
#include <ATen/ops/zeros_like.h>

#include "contra4/base/error.h"
#include "tests/support/error_of.h"
#include "tests/train/processes.h"

namespace contra4::train {
namespace {

using testing::expect_processes;

constexpr std::int64_t kWidth = 6;
constexpr std::int64_t kHidden = 5;
constexpr std::int64_t kRows = 8;  // of a micro-batch, over all processes

at::Tensor random(std::vector<std::int64_t> shape, std::uint64_t seed) {
  auto generator = at::make_generator<at::CPUGeneratorImpl>(seed);
  return at::randn(shape, generator, at::kDouble) * 0.5;
}

UnitPlan layer_plan(const std::string& name) {
  return {.name = name,
          .parameters = {{name + ".bias", {kHidden}, false},
                         {name + ".in", {kHidden, kWidth}, true},
                         {name + ".out", {kWidth, kHidden}, true}}};
}

UnitPlan root_plan() {
  return {.name = "", .parameters = {{"scale", {kWidth}, true}}};
}

// x + W_out tanh(W_in x + b), weights in the order of a unit.
at::Tensor block(const std::vector<at::Tensor>& weights, const at::Tensor& x) {
  return x + at::linear(at::tanh(at::linear(x, weights[0], weights[2])), weights[1]);
}

using Weights = std::map<std::string, std::vector<at::Tensor>>;

// The layers as they are run; `frozen` is of no unit, `unused` is not run.
struct Case {
  std::vector<std::string> layers;
  bool scales_input = false;  // by the root: then also the first layer's input wants a gradient
};

const Case kPlain = {.layers = {"layer.0", "layer.1", "layer.2"}};
const Case kTwice = {.layers = {"layer.0", "layer.1", "layer.0", "layer.2", "layer.2"},
                     .scales_input = true};
const Case kFrozen = {.layers = {"frozen", "layer.0", "frozen", "layer.1"}};

at::Tensor loss(const Case& net, const Weights& weights, const at::Tensor& rows,
                nn::BlockRunner& runner) {
  const at::Tensor& scale = weights.at("")[0];
  at::Tensor x = net.scales_input ? rows * scale : rows;
  for (const std::string& name : net.layers)
    x = runner.run(name, x,
                   [&](const at::Tensor& input) { return block(weights.at(name), input); });
  return (x * scale).pow(2).sum();
}

class Network {
 public:
  Network(const Case& net, const UnitOptions& options, bool recomputes, ProcessGroup* group)
      : net_(net) {
    add(root_plan(), options, group);
    for (const char* name : {"layer.0", "layer.1", "layer.2", "unused"})
      add(layer_plan(name), options, group);
    std::vector<Unit*> layers;
    for (const auto& unit : units_)
      if (!unit->plan().name.empty()) layers.push_back(unit.get());
    runner_ = std::make_unique<UnitRunner>(
        units_[0].get(), layers,
        UnitRunnerOptions{.data_parallel = options.data_parallel, .recomputes = recomputes});
    for (const at::Tensor& weight : values(layer_plan("frozen"))) {
      weights_["frozen"].push_back(weight);
      reference_["frozen"].push_back(weight);
    }
  }

  // Rows are those of all processes; `part` of this one.
  void step(const at::Tensor& part, bool is_last) {
    runner_->begin(is_last);
    loss(net_, weights_, part, *runner_).backward();
    runner_->end();
  }

  // Adds the gradients of plain weights without units.
  void step_reference(const at::Tensor& rows) {
    nn::PlainRunner plain;
    loss(net_, reference_, rows, plain).backward();
  }

  void expect_reference_gradients(double tolerance) const {
    for (const auto& unit : units_) {
      const at::Tensor wanted = reference_gradient(*unit);
      EXPECT_TRUE(at::allclose(unit->gradient(), wanted, tolerance, tolerance))
          << unit->plan().name << "\n"
          << unit->gradient() << "\n"
          << wanted;
    }
  }

  // This process's share.
  at::Tensor reference_gradient(const Unit& unit) const {
    std::vector<at::Tensor> parts;
    for (const at::Tensor& weight : reference_.at(unit.plan().name))
      parts.push_back((weight.grad().defined() ? weight.grad() : at::zeros_like(weight)).flatten());
    parts.push_back(at::zeros({unit.shard_size()}, at::kDouble));
    return at::cat(parts).narrow(0, unit.shard_begin(), unit.shard_size());
  }

  std::vector<std::unique_ptr<Unit>>& units() { return units_; }
  UnitRunner& runner() { return *runner_; }
  Weights& weights() { return weights_; }
  const Weights& reference() const { return reference_; }
  const Case& net() const { return net_; }
  void go(const Case& net) { net_ = net; }

 private:
  static std::vector<at::Tensor> values(const UnitPlan& plan) {
    std::vector<at::Tensor> values;
    for (const ParameterPlan& parameter : plan.parameters)
      values.push_back(random(parameter.shape, std::hash<std::string>{}(parameter.name) % 1000));
    // Those that decay come first.
    if (values.size() == 3) std::rotate(values.begin(), values.begin() + 1, values.end());
    return values;
  }

  void add(const UnitPlan& plan, const UnitOptions& options, ProcessGroup* group) {
    units_.push_back(std::make_unique<Unit>(plan, options, group));
    Unit& unit = *units_.back();
    const std::vector<at::Tensor> parameters = values(plan);
    for (std::size_t i = 0; i < parameters.size(); ++i) {
      unit.set(i, parameters[i]);
      reference_[plan.name].push_back(parameters[i].clone().set_requires_grad(true));
    }
    weights_[plan.name] = unit.weights();
  }

  Case net_;
  std::vector<std::unique_ptr<Unit>> units_;
  std::unique_ptr<UnitRunner> runner_;
  Weights weights_;
  Weights reference_;
};

std::unique_ptr<ProcessGroup> join(const JobRank& job) {
  ProcessGroupOptions options;
  options.job = job;
  return join_processes(options);
}

constexpr auto kModes = {DataParallel::kReplicated, DataParallel::kShardGradients,
                         DataParallel::kShardAll};
const UnitOptions kDoubles = {.master_type = at::kDouble, .compute_type = at::kDouble};

at::Tensor rows_of(const at::Tensor& rows, const JobRank& job) {
  return rows.chunk(job.count)[job.rank];
}

// Two passes of two micro-batches each: with and without knowing what comes next.
void check_gradients(const JobRank& job) {
  const auto group = join(job);
  for (const Case& net : {kPlain, kTwice, kFrozen})
    for (const DataParallel mode : kModes)
      for (const bool recomputes : {false, true}) {
        UnitOptions options = kDoubles;
        options.data_parallel = mode;
        Network network(net, options, recomputes, group.get());
        for (int batch = 0; batch < 4; ++batch) {
          const at::Tensor rows = random({kRows, kWidth}, batch);
          network.step(rows_of(rows, job), batch == 3);
          network.step_reference(rows);
        }
        network.expect_reference_gradients(1e-12);
      }
  group->barrier();
}

TEST(UnitRunner, OneProcessGivesTheGradientsOfPlainWeights) {
  check_gradients({});
}

TEST(UnitRunner, TwoProcessesGiveTheGradientsOfOne) {
  expect_processes(2, check_gradients);
}

TEST(UnitRunner, FourProcessesGiveTheGradientsOfOne) {
  expect_processes(4, check_gradients);
}

// Relative error of all gradients together, of weights that are rounded to `type` while they are
// used.
double error_in(at::ScalarType type, DataParallel mode, const JobRank& job, ProcessGroup* group) {
  Network network(kTwice, {.data_parallel = mode, .master_type = at::kFloat, .compute_type = type},
                  true, group);
  const at::Tensor rows = random({kRows, kWidth}, 1);
  network.step(rows_of(rows, job).to(type), true);
  network.step_reference(rows);
  double difference = 0;
  double whole = 0;
  for (const auto& unit : network.units()) {
    const at::Tensor wanted = network.reference_gradient(*unit);
    EXPECT_EQ(unit->gradient().scalar_type(), at::kFloat);
    difference += (unit->gradient() - wanted).pow(2).sum().item<double>();
    whole += wanted.pow(2).sum().item<double>();
  }
  return std::sqrt(difference / whole);
}

TEST(UnitRunner, RoundedWeightsGiveGradientsToTheirPrecision) {
  expect_processes(2, [](const JobRank& job) {
    const auto group = join(job);
    for (const DataParallel mode : kModes) {
      EXPECT_LT(error_in(at::kFloat, mode, job, group.get()), 1e-6);
      EXPECT_LT(error_in(at::kBFloat16, mode, job, group.get()), 0.02);
    }
    group->barrier();
  });
}

// As an encoder that is run for each scene, one of which reaches the loss past a layer.
at::Tensor branching_loss(const Weights& weights, const at::Tensor& rows, nn::BlockRunner& runner) {
  const auto layer = [&](const std::string& name, const at::Tensor& x) {
    return runner.run(name, x,
                      [&, name](const at::Tensor& in) { return block(weights.at(name), in); });
  };
  std::vector<at::Tensor> ends;
  for (const at::Tensor& scene : rows.chunk(2)) {
    const at::Tensor middle = layer("layer.0", scene);
    ends.push_back(layer("layer.1", middle) + middle);
  }
  const at::Tensor joined = layer("layer.2", at::cat(ends));
  return (layer("layer.0", joined) * ends[0].sum() + ends[1].mean()).pow(2).sum();
}

void check_branches(const JobRank& job) {
  const auto group = join(job);
  for (const DataParallel mode : kModes)
    for (const bool recomputes : {false, true}) {
      UnitOptions options = kDoubles;
      options.data_parallel = mode;
      Network network(kPlain, options, recomputes, group.get());
      for (int batch = 0; batch < 2; ++batch) {
        network.runner().begin(batch == 1);
        branching_loss(network.weights(), random({4, kWidth}, 10 * batch + job.rank),
                       network.runner())
            .backward();
        network.runner().end();
        nn::PlainRunner plain;
        for (int rank = 0; rank < job.count; ++rank)
          branching_loss(network.reference(), random({4, kWidth}, 10 * batch + rank), plain)
              .backward();
      }
      network.expect_reference_gradients(1e-10);
    }
  group->barrier();
}

TEST(UnitRunner, BranchesThatMeetAgainGiveTheGradientsOfPlainWeights) {
  check_branches({});
  expect_processes(2, check_branches);
}

// One process is given rows whose loss does not depend on any layer.
TEST(UnitRunner, AProcessWhoseLossReachesNoLayerSumsZeros) {
  expect_processes(2, [](const JobRank& job) {
    const auto group = join(job);
    for (const DataParallel mode : kModes)
      for (const bool recomputes : {false, true}) {
        UnitOptions options = kDoubles;
        options.data_parallel = mode;
        Network network(kPlain, options, recomputes, group.get());
        const at::Tensor rows = random({kRows, kWidth}, 1);
        network.runner().begin(true);
        const at::Tensor sum = loss(network.net(), network.weights(), rows, network.runner());
        if (job.rank == 0) sum.backward();
        network.runner().end();
        network.step_reference(rows);
        network.expect_reference_gradients(1e-12);
      }
    group->barrier();
  });
}

int count_whole(Network& network) {
  return static_cast<int>(std::ranges::count_if(network.units(), [](const auto& unit) {
    return !unit->plan().name.empty() && unit->is_whole();
  }));
}

std::uint64_t num_bytes(Network& network) {
  std::uint64_t bytes = 0;
  for (const auto& unit : network.units()) bytes += unit->num_bytes();
  return bytes;
}

// Runs as UnitRunner does, and looks at the units from within each layer, in both directions.
class Spy final : public nn::BlockRunner {
 public:
  explicit Spy(Network& network) : network_(network) {}
  at::Tensor run(std::string_view name, const at::Tensor& x,
                 const nn::BlockFunction& layer) override {
    return network_.runner().run(name, x, [this, layer](const at::Tensor& input) {
      most_whole = std::max(most_whole, count_whole(network_));
      most_bytes = std::max(most_bytes, num_bytes(network_));
      return layer(input);
    });
  }
  int most_whole = 0;
  std::uint64_t most_bytes = 0;

 private:
  Network& network_;
};

void check_memory(const JobRank& job, DataParallel mode, int most_whole) {
  const auto group = join(job);
  UnitOptions options = kDoubles;
  options.data_parallel = mode;
  Network network(kPlain, options, true, group.get());
  const std::uint64_t at_rest = num_bytes(network);
  const std::uint64_t shards = (4 * 33 + 3) * 2 * sizeof(double);
  EXPECT_EQ(at_rest, shards);  // (65 + 1) / 2 of each layer and 6 / 2 of the root, with gradients
  for (int pass = 0; pass < 3; ++pass) {
    Spy spy(network);
    network.runner().begin(true);
    loss(network.net(), network.weights(), random({4, kWidth}, pass), spy).backward();
    EXPECT_TRUE(network.units()[0]->is_whole());
    network.runner().end();
    EXPECT_LE(spy.most_whole, most_whole);
    EXPECT_GT(spy.most_bytes, at_rest);
    EXPECT_EQ(num_bytes(network), at_rest);
    EXPECT_EQ(count_whole(network), 0);
  }
  group->barrier();
}

TEST(UnitRunner, ShardAllHoldsTheLayerThatComputesAndTheNext) {
  expect_processes(2, [](const JobRank& job) { check_memory(job, DataParallel::kShardAll, 2); });
}

TEST(UnitRunner, ShardGradientsHoldsLayersUntilTheirBackwardPass) {
  expect_processes(2,
                   [](const JobRank& job) { check_memory(job, DataParallel::kShardGradients, 3); });
}

TEST(UnitRunner, FetchesTheNextLayerOnceTheOrderIsKnown) {
  expect_processes(2, [](const JobRank& job) {
    const auto group = join(job);
    UnitOptions options = kDoubles;
    options.data_parallel = DataParallel::kShardAll;
    Network network(kPlain, options, false, group.get());
    const Unit& next = *network.units()[2];  // layer.1, while layer.0 computes
    const std::uint64_t at_rest = next.num_bytes();
    for (const bool is_known : {false, true}) {
      const at::NoGradGuard guard;
      network.runner().begin_inference();
      const at::Tensor rows = random({4, kWidth}, 1);
      network.runner().run("layer.0", rows, [&](const at::Tensor& x) {
        EXPECT_EQ(next.num_bytes() > at_rest, is_known);
        return x;
      });
      network.runner().run("layer.1", rows, [](const at::Tensor& x) { return x; });
      network.runner().end_inference();
    }
    group->barrier();
  });
}

TEST(UnitRunner, APassMayGoAnotherWayThanTheLast) {
  expect_processes(2, [](const JobRank& job) {
    const auto group = join(job);
    for (const DataParallel mode : kModes) {
      UnitOptions options = kDoubles;
      options.data_parallel = mode;
      Network network(kPlain, options, false, group.get());
      for (const Case& net : {kPlain, kTwice, kFrozen, kTwice, kPlain}) {
        network.go(net);
        const at::Tensor rows = random({kRows, kWidth}, 1);
        network.step(rows_of(rows, job), true);
        for (const auto& unit : network.units()) unit->touch();
      }
      EXPECT_EQ(count_whole(network), mode == DataParallel::kReplicated ? 4 : 0);
    }
    group->barrier();
  });
}

TEST(UnitRunner, InferenceReleasesLayersAndRecordsNothing) {
  expect_processes(2, [](const JobRank& job) {
    const auto group = join(job);
    for (const DataParallel mode : kModes) {
      UnitOptions options = kDoubles;
      options.data_parallel = mode;
      Network network(kTwice, options, false, group.get());
      const at::Tensor rows = random({kRows, kWidth}, 1);
      const std::uint64_t at_rest = num_bytes(network);
      at::Tensor inferred;
      for (int pass = 0; pass < 2; ++pass) {
        const at::NoGradGuard guard;
        Spy spy(network);
        network.runner().begin_inference();
        inferred = loss(network.net(), network.weights(), rows, spy);
        EXPECT_FALSE(inferred.requires_grad());
        if (mode != DataParallel::kReplicated) {
          EXPECT_LE(spy.most_whole, 2);
        }
        network.runner().end_inference();
        EXPECT_EQ(num_bytes(network), at_rest);
      }
      network.runner().begin(true);
      const at::Tensor trained = loss(network.net(), network.weights(), rows, network.runner());
      EXPECT_EQ(inferred.item<double>(), trained.item<double>());
      network.runner().end();
    }
    group->barrier();
  });
}

TEST(UnitRunner, SaysWhenItIsUsedOutOfOrder) {
  const auto group = join({});
  Network network(kPlain, kDoubles, false, group.get());
  UnitRunner& runner = network.runner();
  const auto code_of = [](const std::function<void()>& action) {
    return testing::error_of(action).code;
  };
  const auto identity = [](const at::Tensor& x) { return x; };
  EXPECT_EQ(code_of([&] { runner.run("layer.0", at::zeros({1}), identity); }),
            ErrorCode::kInternal);
  EXPECT_EQ(code_of([&] { runner.end(); }), ErrorCode::kInternal);
  runner.begin(true);
  EXPECT_EQ(code_of([&] { runner.begin(true); }), ErrorCode::kInternal);
  EXPECT_EQ(code_of([&] { runner.end_inference(); }), ErrorCode::kInternal);
  const at::NoGradGuard guard;
  EXPECT_EQ(code_of([&] { runner.run("layer.0", at::zeros({1}), identity); }),
            ErrorCode::kInternal);
}

}  // namespace
}  // namespace contra4::train
