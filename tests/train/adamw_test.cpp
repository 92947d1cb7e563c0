#include "contra4/train/adamw.h"

#include <cmath>

#include <gtest/gtest.h>

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/allclose.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/sqrt.h>
#include <ATen/ops/zeros_like.h>

#include "tests/train/processes.h"

namespace contra4::train {
namespace {

using testing::expect_processes;

constexpr double kRate = 0.01;
constexpr int kSteps = 5;
const AdamWOptions kOptions = {.max_gradient_norm = 3};

UnitPlan layer() {
  return {.name = "layer", .parameters = {{"bias", {5}, false}, {"weight", {4, 5}, true}}};
}
UnitPlan root() {
  return {.name = "", .parameters = {{"scale", {3}, false}}};
}

at::Tensor random(std::int64_t n, std::uint64_t seed) {
  auto generator = at::make_generator<at::CPUGeneratorImpl>(seed);
  return at::randn({n}, generator, at::kDouble);
}

// The same in plain sight: whole flat buffers of both units, one after the other.
struct Plain {
  std::vector<at::Tensor> weights = {random(25, 1), random(3, 2)};
  std::vector<at::Tensor> first = {at::zeros_like(weights[0]), at::zeros_like(weights[1])};
  std::vector<at::Tensor> second = {at::zeros_like(weights[0]), at::zeros_like(weights[1])};
  std::vector<std::int64_t> num_decaying = {20, 0};
  int steps = 0;

  double step(std::vector<at::Tensor> gradients) {
    double norm = 0;
    for (const at::Tensor& gradient : gradients) norm += gradient.pow(2).sum().item<double>();
    norm = std::sqrt(norm);
    ++steps;
    for (std::size_t i = 0; i < weights.size(); ++i) {
      at::Tensor g = gradients[i];
      if (norm > 3) g = g * (3 / (norm + 1e-6));
      weights[i].narrow(0, 0, num_decaying[i]).mul_(1 - kRate * 0.02);
      first[i] = 0.9 * first[i] + 0.1 * g;
      second[i] = 0.95 * second[i] + 0.05 * g * g;
      const at::Tensor mean = first[i] / (1 - std::pow(0.9, steps));
      const at::Tensor square = second[i] / (1 - std::pow(0.95, steps));
      weights[i] -= kRate * mean / (at::sqrt(square) + 1e-8);
    }
    return norm;
  }
};

// A gradient of each step whose norm is above and below the bound in turn.
std::vector<at::Tensor> gradients_of(int step) {
  const double factor = step % 2 == 0 ? 1 : 0.1;
  return {random(25, 10 + step) * factor, random(3, 20 + step) * factor};
}

at::Tensor share(const at::Tensor& whole, const Unit& unit) {
  at::Tensor padded = at::zeros_like(unit.master()).to(at::kDouble);
  const std::int64_t size =
      std::clamp<std::int64_t>(whole.numel() - unit.shard_begin(), 0, unit.shard_size());
  if (size > 0) padded.narrow(0, 0, size).copy_(whole.narrow(0, unit.shard_begin(), size));
  return padded;
}

void check_steps(const JobRank& job, DataParallel mode, at::ScalarType type, double tolerance) {
  ProcessGroupOptions join;
  join.job = job;
  const auto group = join_processes(join);
  const UnitOptions options = {.data_parallel = mode, .master_type = type, .compute_type = type};
  Unit first(layer(), options, group.get());
  Unit second(root(), options, group.get());
  const std::vector<Unit*> units = {&first, &second};
  Plain plain;
  first.set(0, plain.weights[0].narrow(0, 0, 20).reshape({4, 5}));
  first.set(1, plain.weights[0].narrow(0, 20, 5));
  second.set(0, plain.weights[1]);
  AdamW optimizer(units, kOptions, group.get());
  for (int step = 0; step < kSteps; ++step) {
    const auto gradients = gradients_of(step);
    for (std::size_t i = 0; i < units.size(); ++i) {
      at::Tensor gradient = units[i]->gradient();
      gradient.copy_(share(gradients[i], *units[i]));
    }
    const double norm = plain.step(gradients);
    EXPECT_NEAR(optimizer.clip(), norm, tolerance * norm);
    optimizer.step(kRate);
  }
  EXPECT_EQ(optimizer.num_steps(), kSteps);
  for (std::size_t i = 0; i < units.size(); ++i) {
    const auto expect_close = [&](const at::Tensor& found, const at::Tensor& whole) {
      const at::Tensor wanted = share(whole, *units[i]);
      EXPECT_TRUE(at::allclose(found.to(at::kDouble), wanted, tolerance, tolerance))
          << found << wanted;
    };
    expect_close(units[i]->master(), plain.weights[i]);
    expect_close(optimizer.first_moment(i), plain.first[i]);
    expect_close(optimizer.second_moment(i), plain.second[i]);
    EXPECT_EQ(units[i]->gradient().abs().sum().item<double>(), 0);
  }
  group->barrier();
}

void check_modes(const JobRank& job) {
  for (const auto mode : {DataParallel::kReplicated, DataParallel::kShardAll})
    check_steps(job, mode, at::kDouble, 1e-12);
}

TEST(AdamW, OneProcessStepsAsWrittenOut) {
  check_modes({});
}

TEST(AdamW, FloatsStepAsWrittenOut) {
  check_steps({}, DataParallel::kReplicated, at::kFloat, 1e-5);
}

TEST(AdamW, TwoReplicasStepAsOneProcess) {
  expect_processes(2, [](const JobRank& job) {
    check_steps(job, DataParallel::kReplicated, at::kDouble, 1e-12);
  });
}

TEST(AdamW, SharesOfThreeStepAsOneProcess) {
  expect_processes(
      3, [](const JobRank& job) { check_steps(job, DataParallel::kShardAll, at::kDouble, 1e-12); });
}

TEST(AdamW, GradientsWithinTheBoundAreLeftAlone) {
  const auto group = join_processes({});
  Unit unit(root(), {}, group.get());
  AdamW optimizer({&unit}, {.max_gradient_norm = 5}, group.get());
  at::Tensor gradient = unit.gradient();
  gradient.copy_(at::arange(3));
  EXPECT_DOUBLE_EQ(optimizer.clip(), std::sqrt(5.0));
  EXPECT_EQ(unit.gradient()[2].item<float>(), 2);
}

TEST(AdamW, WithoutABoundGradientsAreLeftAlone) {
  const auto group = join_processes({});
  Unit unit(root(), {}, group.get());
  AdamW optimizer({&unit}, {.max_gradient_norm = 0}, group.get());
  at::Tensor gradient = unit.gradient();
  gradient.fill_(100);
  optimizer.clip();
  EXPECT_EQ(unit.gradient()[2].item<float>(), 100);
}

// Many small numbers whose squares a float could not add up.
TEST(AdamW, TheNormIsAddedInDoubles) {
  const auto group = join_processes({});
  const std::int64_t n = 3'000'000;
  Unit unit({.name = "", .parameters = {{"long", {n}}}}, {}, group.get());
  AdamW optimizer({&unit}, {.max_gradient_norm = 1e9}, group.get());
  at::Tensor gradient = unit.gradient();
  gradient.fill_(0.25);
  EXPECT_DOUBLE_EQ(optimizer.clip(), 0.25 * std::sqrt(static_cast<double>(n)));
}

TEST(AdamW, ANormThatIsNoNumberIsToldAndLeftAlone) {
  const auto group = join_processes({});
  Unit unit(root(), {}, group.get());
  AdamW optimizer({&unit}, {}, group.get());
  at::Tensor gradient = unit.gradient();
  gradient[1].fill_(std::nan(""));
  EXPECT_TRUE(std::isnan(optimizer.clip()));
  EXPECT_EQ(unit.gradient()[0].item<float>(), 0);
}

}  // namespace
}  // namespace contra4::train
