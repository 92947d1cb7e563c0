#include "contra4/train/unit.h"

#include <numeric>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/full.h>
#include <ATen/ops/matmul.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/zeros.h>

#include "contra4/base/error.h"
#include "tests/support/error_of.h"
#include "tests/train/processes.h"

namespace contra4::train {
namespace {

using testing::expect_processes;

constexpr auto kModes = {DataParallel::kReplicated, DataParallel::kShardGradients,
                         DataParallel::kShardAll};

// 6 + 12 elements that decay, 1 + 4 that do not, as they come in a layer.
UnitPlan plan() {
  return {
      .name = "layer",
      .parameters = {
          {"norm", {4}, false}, {"a", {2, 3}, true}, {"scale", {}, false}, {"b", {4, 3}, true}}};
}

std::unique_ptr<ProcessGroup> join(const JobRank& job) {
  ProcessGroupOptions options;
  options.job = job;
  return join_processes(options);
}

// The i-th parameter is 100 i + 0, 1, 2 ...
at::Tensor value(const Unit& unit, std::size_t i) {
  const auto& shape = unit.plan().parameters[i].shape;
  const auto n = std::accumulate(shape.begin(), shape.end(), std::int64_t{1}, std::multiplies<>());
  return (at::arange(n, at::kDouble) + 100.0 * static_cast<double>(i)).reshape(shape);
}

void fill(Unit& unit) {
  for (std::size_t i = 0; i < unit.plan().parameters.size(); ++i) unit.set(i, value(unit, i));
}

void expect_values(const Unit& unit, double factor = 1) {
  for (std::size_t i = 0; i < unit.plan().parameters.size(); ++i)
    EXPECT_TRUE(at::equal(unit.weights()[i].detach().to(at::kDouble), value(unit, i) * factor))
        << unit.plan().parameters[i].name;
}

TEST(Unit, LaysParametersThatDecayFirstAndKeepsTheirOrder) {
  const auto group = join({});
  const Unit unit(plan(), {}, group.get());
  std::vector<std::string> names;
  for (const ParameterPlan& parameter : unit.plan().parameters) names.push_back(parameter.name);
  EXPECT_THAT(names, ::testing::ElementsAre("a", "b", "norm", "scale"));
  EXPECT_EQ(unit.plan().num_elements(), 23);
  EXPECT_EQ(unit.num_decaying(), 18);
  EXPECT_EQ(unit.shard_size(), 23);
  EXPECT_FALSE(unit.is_shared());
  for (const at::Tensor& weight : unit.weights())
    EXPECT_TRUE(weight.is_leaf() && weight.requires_grad());
  EXPECT_EQ(unit.weights()[1].sizes(), (at::IntArrayRef{4, 3}));
  EXPECT_EQ(unit.weights()[3].dim(), 0);
}

TEST(Unit, OneProcessTrainsTheMasterWeightsThemselves) {
  const auto group = join({});
  for (const DataParallel mode : kModes) {
    Unit unit(plan(), {.data_parallel = mode}, group.get());
    fill(unit);
    EXPECT_TRUE(unit.is_whole());
    unit.release();
    expect_values(unit);
    EXPECT_EQ(unit.weights()[0].data_ptr(), unit.master().data_ptr());
    EXPECT_EQ(unit.num_bytes(),
              2 * 23 * sizeof(float));  // with gradients, which are one buffer too
    unit.prepare_gradients();
    unit.weights()[0].sum().backward();
    unit.begin_reduce(true);
    unit.finish_reduce();
    EXPECT_EQ(unit.gradient().sum().item<float>(), 6);
  }
}

void check_shares(const JobRank& job) {
  const auto group = join(job);
  for (const DataParallel mode : {DataParallel::kShardGradients, DataParallel::kShardAll}) {
    for (const auto type : {at::kDouble, at::kFloat, at::kBFloat16}) {
      Unit unit(plan(),
                {.data_parallel = mode,
                 .master_type = type == at::kDouble ? at::kDouble : at::kFloat,
                 .compute_type = type},
                group.get());
      fill(unit);
      const auto master_bytes = unit.master().nbytes();
      EXPECT_TRUE(unit.is_shared());
      EXPECT_EQ(unit.shard_size(), (23 + job.count - 1) / job.count);
      EXPECT_EQ(unit.num_bytes(), 2 * master_bytes);
      EXPECT_FALSE(unit.is_whole());

      unit.begin_gather();
      unit.gather();
      unit.gather();
      if (type != at::kBFloat16) expect_values(unit);
      EXPECT_EQ(unit.weights()[1].detach()[0][1].item<float>(), 101);
      const auto whole_bytes = unit.shard_size() * job.count * unit.weights()[0].element_size();
      EXPECT_EQ(unit.num_bytes(), 2 * master_bytes + whole_bytes);
      unit.release();
      EXPECT_EQ(unit.num_bytes(), 2 * master_bytes);

      // Of each rank's gradient, rank + 1 times the same, the sum; twice, of two micro-batches.
      for (const bool is_last : {false, true}) {
        unit.gather();
        unit.prepare_gradients();
        for (const at::Tensor& weight : unit.weights())
          (weight.sum() * static_cast<double>(job.rank + 1)).backward();
        unit.begin_reduce(is_last);
        unit.release();
        unit.finish_reduce();
        EXPECT_EQ(unit.num_bytes(), 2 * master_bytes);
      }
      const std::int64_t filled =
          std::clamp<std::int64_t>(23 - unit.shard_begin(), 0, unit.shard_size());
      const double sum = job.count * (job.count + 1);
      EXPECT_EQ(unit.gradient().sum().item<double>(), sum * static_cast<double>(filled));
      EXPECT_EQ(unit.gradient().max().item<double>(), sum);

      const at::Tensor collected = unit.collect();
      EXPECT_EQ(collected.defined(), job.rank == 0);
      if (job.rank == 0) {
        EXPECT_EQ(collected.numel(), 23);
        EXPECT_EQ(collected[18].item<double>(), 200);
        EXPECT_EQ(collected.scalar_type(), unit.master().scalar_type());
      }
    }
  }
  group->barrier();
}

TEST(Unit, TwoProcessesKeepHalves) {
  expect_processes(2, check_shares);
}

TEST(Unit, FourProcessesKeepQuartersWhereTheLastIsFilledUp) {
  expect_processes(4, check_shares);
}

TEST(Unit, MoreProcessesThanElementsLeaveSomeWithNothingOfTheirs) {
  expect_processes(3, [](const JobRank& job) {
    const auto group = join(job);
    Unit unit({.name = "", .parameters = {{"scale", {}, true}}},
              {.data_parallel = DataParallel::kShardAll}, group.get());
    unit.set(0, at::full({}, 3.0));
    EXPECT_EQ(unit.shard_size(), 1);
    EXPECT_EQ(unit.num_decaying(), job.rank == 0 ? 1 : 0);
    unit.gather();
    EXPECT_EQ(unit.weights()[0].item<float>(), 3);
    unit.release();
    group->barrier();
  });
}

TEST(Unit, ReplicasAddMicroBatchesAndSumTheLastOne) {
  expect_processes(2, [](const JobRank& job) {
    const auto group = join(job);
    for (const auto type : {at::kFloat, at::kBFloat16}) {
      Unit unit(plan(), {.compute_type = type}, group.get());
      fill(unit);
      for (const bool is_last : {false, true}) {
        unit.gather();
        unit.prepare_gradients();
        (unit.weights()[2].sum() * static_cast<double>(job.rank + 1)).backward();
        unit.begin_reduce(is_last);
        unit.finish_reduce();
        unit.release();
        if (!is_last) {
          EXPECT_EQ(unit.gradient().sum().item<float>(), 4 * (job.rank + 1));
        }
      }
      EXPECT_EQ(unit.gradient().sum().item<float>(), 4 * 2 * 3);
      EXPECT_EQ(unit.num_decaying(), 18);
      unit.zero_gradient();
      EXPECT_EQ(unit.gradient().abs().sum().item<float>(), 0);
      EXPECT_TRUE(unit.is_whole());
    }
    group->barrier();
  });
}

TEST(Unit, WeightsOfAnotherTypeFollowTheMasterAfterTouch) {
  const auto group = join({});
  for (const DataParallel mode : kModes) {
    Unit unit(plan(), {.data_parallel = mode, .compute_type = at::kBFloat16}, group.get());
    fill(unit);
    unit.gather();
    unit.release();
    EXPECT_EQ(unit.is_whole(), mode == DataParallel::kReplicated);
    at::Tensor master = unit.master();
    master.mul_(2);
    unit.touch();
    unit.gather();
    EXPECT_EQ(unit.weights()[2].detach()[0].item<float>(), 400);
  }
}

// What autograd saved of a weight is right again although its memory went and came back.
TEST(Unit, BackwardAfterReleaseAndGatherGivesTheGradientsOfTheWeights) {
  const auto group = join({});
  Unit unit(plan(),
            {.data_parallel = DataParallel::kShardAll,
             .master_type = at::kDouble,
             .compute_type = at::kFloat},
            group.get());
  fill(unit);
  unit.gather();
  const at::Tensor x = at::ones({5, 3}).set_requires_grad(true);
  const at::Tensor y = at::matmul(x, unit.weights()[1].t());
  unit.release();
  unit.gather();
  unit.prepare_gradients();
  y.sum().backward();
  EXPECT_TRUE(at::equal(x.grad()[0], unit.weights()[1].detach().sum(0)));
  EXPECT_TRUE(at::equal(unit.weights()[1].grad(), at::full({4, 3}, 5.0, at::kFloat)));
  unit.begin_reduce(true);
  unit.finish_reduce();
  EXPECT_FALSE(unit.weights()[1].grad().defined());
  EXPECT_EQ(unit.gradient().sum().item<double>(), 60);
}

TEST(Unit, ReadingReleasedWeightsFails) {
  const auto group = join({});
  Unit unit(plan(), {.data_parallel = DataParallel::kShardAll, .compute_type = at::kBFloat16},
            group.get());
  fill(unit);
  EXPECT_ANY_THROW(unit.weights()[0].detach().sum().item<float>());
}

TEST(Unit, RefusesAValueOfAnotherShape) {
  const auto group = join({});
  Unit unit(plan(), {}, group.get());
  const Error error = testing::error_of([&] { unit.set(0, at::zeros({3, 2})); });
  EXPECT_EQ(error.code, ErrorCode::kInvalidArgument);
  EXPECT_THAT(error.message, ::testing::HasSubstr("'a' of 'layer' has the shape [2, 3]"));
}

TEST(Unit, RefusesToChangeUnderGatheredWeights) {
  const auto group = join({});
  Unit unit(plan(), {.data_parallel = DataParallel::kShardAll, .compute_type = at::kBFloat16},
            group.get());
  fill(unit);
  unit.gather();
  EXPECT_EQ(testing::error_of([&] { unit.touch(); }).code, ErrorCode::kInternal);
}

}  // namespace
}  // namespace contra4::train
