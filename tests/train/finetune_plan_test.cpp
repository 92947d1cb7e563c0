#include "contra4/train/finetune_plan.h"

#include <vector>

#include <gtest/gtest.h>

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

}  // namespace
}  // namespace contra4::train
