#include "contra4/train/finetune_plan.h"

#include <vector>

#include <algorithm>
#include <memory>

#include <ATen/ops/matmul.h>
#include <ATen/ops/ones.h>
#include <gtest/gtest.h>

#include "contra4/base/error.h"
#include "contra4/train/unit_runner.h"

namespace contra4::train {
namespace {

// The root of 1,000 elements, layers of 400 and 600.
std::vector<UnitPlan> units() {
  return {{.name = "", .parameters = {{.name = "a", .shape = {10, 100}}}},
          {.name = "x", .parameters = {{.name = "b", .shape = {400}}}},
          {.name = "y", .parameters = {{.name = "c", .shape = {20, 30}}}}};
}

FinetunePlan plan_of(DataParallel kind, int num_processes, TrainingType type) {
  FinetuneOptions options;
  options.data_parallel = kind;
  options.job.count = num_processes;
  options.type = type;
  FinetunePlan plan;
  plan.num_frozen = 50;
  add_weight_bytes(plan, units(), options);
  EXPECT_EQ(plan.num_trained, 2000);
  EXPECT_EQ(plan.moment_bytes, 2 * plan.master_bytes);
  return plan;
}

TEST(AddWeightBytes, OneProcessComputesWithTheMasterWeights) {
  const auto plan = plan_of(DataParallel::kReplicated, 1, TrainingType::kFloat32);
  EXPECT_EQ(plan.master_bytes, 2000 * 4);
  EXPECT_EQ(plan.weight_bytes, 50 * 4) << "what is frozen";
  EXPECT_EQ(plan.gradient_bytes, 2000 * 4);
  const auto wide = plan_of(DataParallel::kShardAll, 1, TrainingType::kFloat64);
  EXPECT_EQ(wide.master_bytes, 2000 * 8) << "nobody to share with";
  EXPECT_EQ(wide.weight_bytes, 50 * 8);
}

TEST(AddWeightBytes, ShortWeightsAreCopiesBesideTheMasters) {
  const auto plan = plan_of(DataParallel::kReplicated, 1, TrainingType::kBFloat16);
  EXPECT_EQ(plan.master_bytes, 2000 * 4);
  EXPECT_EQ(plan.weight_bytes, (50 + 2000) * 2);
  // Those of the root and two layers on their way from bf16 to what is summed in float32.
  EXPECT_EQ(plan.gradient_bytes, 2000 * 4 + 2000 * 2 + 1200 * 4);
}

TEST(AddWeightBytes, SharingDividesWhatItPromises) {
  const auto sdp = plan_of(DataParallel::kShardGradients, 4, TrainingType::kBFloat16);
  EXPECT_EQ(sdp.master_bytes, 500 * 4);
  EXPECT_EQ(sdp.weight_bytes, (50 + 2000) * 2) << "whole weights during a step";
  const auto fsdp = plan_of(DataParallel::kShardAll, 4, TrainingType::kBFloat16);
  EXPECT_EQ(fsdp.master_bytes, 500 * 4);
  EXPECT_EQ(fsdp.weight_bytes, (50 + 2000) * 2) << "the root and two layers are all there is";
  const auto ddp = plan_of(DataParallel::kReplicated, 4, TrainingType::kBFloat16);
  EXPECT_EQ(ddp.master_bytes, 2000 * 4);
  EXPECT_GT(ddp.total_bytes(), sdp.total_bytes());
}

// The figures of docs/finetuning.md: OneLLM-7B's root and its 56 layers.
TEST(AddWeightBytes, GivesTheTableOfThePublishedSizes) {
  constexpr std::int64_t kRoot = 302'741'516;
  constexpr std::int64_t kLanguageLayer = 202'383'360;
  constexpr std::int64_t kResamplerLayer = 12'847'104;
  std::vector<UnitPlan> published = {{.name = "", .parameters = {{.name = "r", .shape = {kRoot}}}}};
  for (int i = 0; i < 32; ++i) {
    published.push_back({.name = "l", .parameters = {{.name = "l", .shape = {kLanguageLayer}}}});
  }
  for (int i = 0; i < 24; ++i) {
    published.push_back({.name = "e", .parameters = {{.name = "e", .shape = {kResamplerLayer}}}});
  }
  struct Row {
    DataParallel kind;
    int num_processes;
    double gigabytes;
  };
  for (const Row& row :
       {Row{DataParallel::kReplicated, 1, 131.2}, Row{DataParallel::kShardGradients, 2, 74.5},
        Row{DataParallel::kShardGradients, 4, 46.2}, Row{DataParallel::kShardGradients, 8, 32.0},
        Row{DataParallel::kShardAll, 2, 61.8}, Row{DataParallel::kShardAll, 4, 33.4},
        Row{DataParallel::kShardAll, 8, 19.2}}) {
    FinetuneOptions options;
    options.data_parallel = row.kind;
    options.job.count = row.num_processes;
    options.type = TrainingType::kBFloat16;
    FinetunePlan plan;
    plan.num_frozen = 303'179'776;
    add_weight_bytes(plan, published, options);
    EXPECT_EQ(plan.num_trained, 7'087'339'532);
    EXPECT_NEAR(static_cast<double>(plan.total_bytes()) / 1e9, row.gigabytes, 0.05)
        << row.num_processes;
  }
}

TEST(SamplerOptions, MakeAStepOfAsManyQuestionsHoweverABatchIsCut) {
  FinetuneOptions options;
  options.batch_size = 6;
  options.accumulation = 5;
  options.seed = 7;
  const auto whole = sampler_options(options, 2);
  EXPECT_EQ(whole.batch_size, 6);
  EXPECT_EQ(whole.accumulation, 5);
  EXPECT_EQ(whole.num_processes, 2);
  EXPECT_EQ(whole.seed, 7U);
  options.micro_batch_size = 2;
  const auto cut = sampler_options(options, 2);
  EXPECT_EQ(cut.batch_size, 2);
  EXPECT_EQ(cut.accumulation, 15);
}

TEST(SamplerOptions, RefusePartsThatMakeNoBatch) {
  FinetuneOptions options;
  options.batch_size = 6;
  for (const std::int64_t size : {-1, 4, 7, 12}) {
    options.micro_batch_size = size;
    EXPECT_THROW(sampler_options(options, 1), Exception) << size;
  }
  options.micro_batch_size = 2;
  options.is_compat = true;
  EXPECT_THROW(sampler_options(options, 1), Exception) << "the published loss is one of a batch";
  options.micro_batch_size = 6;
  EXPECT_TRUE(sampler_options(options, 1).is_compat);
}

// One process of a job whose others are silent: enough to see what it holds.
class Alone final : public ProcessGroup {
 public:
  explicit Alone(int size) : size_(size) {}
  int rank() const override { return 0; }
  int size() const override { return size_; }
  std::unique_ptr<Pending> all_gather(at::Tensor whole, const at::Tensor& /*part*/) override {
    whole.fill_(0.01);
    return std::make_unique<Done>();
  }
  std::unique_ptr<Pending> reduce_scatter(at::Tensor part, const at::Tensor& /*whole*/) override {
    part.zero_();
    return std::make_unique<Done>();
  }
  std::unique_ptr<Pending> all_reduce(at::Tensor /*sum*/) override {
    return std::make_unique<Done>();
  }
  void broadcast(at::Tensor /*tensor*/, int /*root*/) override {}
  void barrier() override {}

 private:
  struct Done final : Pending {
    void wait() override {}
  };
  int size_;
};

// Of a step over six square layers of one product: the most that units hold at once.
struct Held {
  std::uint64_t at_rest = 0;
  std::uint64_t at_most = 0;
};

constexpr std::int64_t kWidth = 64;
constexpr int kLayers = 6;

std::vector<UnitPlan> square_layers() {
  std::vector<UnitPlan> plans = {
      {.name = "", .parameters = {{.name = "root", .shape = {kWidth, kWidth}}}}};
  for (int i = 0; i < kLayers; ++i) {
    const std::string name = "layer" + std::to_string(i);
    plans.push_back({.name = name, .parameters = {{.name = name, .shape = {kWidth, kWidth}}}});
  }
  return plans;
}

Held hold(DataParallel kind, int num_processes, at::ScalarType type) {
  Alone group(num_processes);
  std::vector<std::unique_ptr<Unit>> units;
  std::vector<Unit*> layers;
  for (UnitPlan& plan : square_layers()) {
    units.push_back(std::make_unique<Unit>(
        std::move(plan), UnitOptions{.data_parallel = kind, .compute_type = type}, &group));
    if (units.size() > 1) layers.push_back(units.back().get());
  }
  UnitRunner runner(units.front().get(), layers, {.data_parallel = kind});
  Held held;
  const auto look = [&] {
    std::uint64_t sum = 0;
    for (const auto& unit : units) sum += unit->num_bytes();
    held.at_most = std::max(held.at_most, sum);
    return sum;
  };
  for (int pass = 0; pass < 2; ++pass) {  // the second one knows what comes next
    runner.begin(/*is_last=*/true);
    at::Tensor x = at::ones({2, kWidth}, type).matmul(units.front()->weights()[0]);
    for (Unit* layer : layers) {
      x = runner.run(layer->plan().name, x, [layer, &look](const at::Tensor& rows) {
        look();
        return at::matmul(rows, layer->weights()[0]);
      });
      x.register_hook([&look](const at::Tensor& /*gradient*/) { look(); });
    }
    x.sum().backward();
    look();
    runner.end();
  }
  held.at_rest = look();
  return held;
}

TEST(FinetunePlan, IsWhatUnitsHoldInAStep) {
  for (const auto type : {TrainingType::kFloat32, TrainingType::kBFloat16}) {
    for (const auto kind :
         {DataParallel::kReplicated, DataParallel::kShardGradients, DataParallel::kShardAll}) {
      for (const int num_processes : {1, 2, 4, 8}) {
        FinetuneOptions options;
        options.data_parallel = kind;
        options.job.count = num_processes;
        options.type = type;
        FinetunePlan plan;
        add_weight_bytes(plan, square_layers(), options);
        const Held held = hold(num_processes == 1 ? DataParallel::kReplicated : kind, num_processes,
                               type == TrainingType::kFloat32 ? at::kFloat : at::kBFloat16);
        const std::uint64_t planned = plan.weight_bytes + plan.master_bytes + plan.gradient_bytes;
        const std::string where = std::to_string(static_cast<int>(kind)) + " of " +
                                  std::to_string(num_processes) + ", type " +
                                  std::to_string(static_cast<int>(type));
        // Beside it a layer's share may be on its way, in either type.
        const std::uint64_t on_its_way =
            num_processes == 1
                ? 0
                : kWidth * kWidth * (4 + 4) / static_cast<std::uint64_t>(num_processes);
        EXPECT_LE(held.at_most, planned + on_its_way) << where;
        EXPECT_GE(1.35 * static_cast<double>(held.at_most), static_cast<double>(planned)) << where;
        if (kind == DataParallel::kShardAll && num_processes > 1) {
          EXPECT_EQ(held.at_rest, 2 * plan.master_bytes) << where;
        }
      }
    }
  }
}

}  // namespace
}  // namespace contra4::train
