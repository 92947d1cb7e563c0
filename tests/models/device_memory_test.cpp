#include <ATen/Context.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "contra4/base/error.h"
#include "contra4/models/device/devices.h"
#include "contra4/models/device/memory.h"
#include "tests/support/error_of.h"

namespace contra4::models {
namespace {

using ::contra4::testing::error_of;
using ::testing::HasSubstr;

TEST(Devices, ReadsTheirNames) {
  EXPECT_EQ(choose_devices({"cpu"}, 0), std::vector<at::Device>{at::kCPU});
  for (const char* name : {"", "gpu", "CPU", "cuda:", "cuda:x", "cuda:-1", "cuda:0,1"}) {
    const Error error = error_of([&] { choose_devices({name}, 0); });
    EXPECT_EQ(error.code, ErrorCode::kInvalidArgument) << name;
    EXPECT_THAT(error.message, HasSubstr("cuda:0 is wanted"));
  }
  EXPECT_EQ(error_of([] { choose_devices({"cpu", "cpu"}, 0); }).code, ErrorCode::kInvalidArgument);
  EXPECT_EQ(error_of([] { choose_devices({"cuda:999"}, 0); }).code, ErrorCode::kNotFound);
}

TEST(Devices, WithoutAGpuTheCpuIsChosen) {
  if (at::hasCUDA()) GTEST_SKIP() << "a GPU is there";
  EXPECT_EQ(choose_devices({}, 3), std::vector<at::Device>{at::kCPU});
}

TEST(Devices, TheTypeIsThatOfTheDeviceUnlessNamed) {
  EXPECT_EQ(choose_type(ComputeType::kAuto, at::kCPU), at::kFloat);
  EXPECT_EQ(choose_type(ComputeType::kAuto, at::Device(at::kCUDA, 1)), at::kBFloat16);
  EXPECT_EQ(choose_type(ComputeType::kFloat16, at::kCPU), at::kHalf);
  EXPECT_EQ(type_name(choose_type(ComputeType::kBFloat16, at::kCPU)), "bfloat16");
}

TEST(Memory, IsSaidInWords) {
  const MemoryNeed need{.device = at::kCPU,
                        .copied_bytes = 13'940'000'000,
                        .mapped_bytes = 0,
                        .working_bytes = 20'000'000};
  EXPECT_EQ(describe(need, 64'000'000'000),
            "13.9 GB of weights and about 20.0 MB to work on cpu (64.0 GB free)");
  EXPECT_EQ(describe({.device = at::kCPU, .mapped_bytes = 5'000'000'000}, std::nullopt),
            "5.0 GB of weights in the mapped file and about 0.0 MB to work on cpu");
}

TEST(Memory, IsRefusedWhenItCannotFit) {
  const MemoryNeed need{.device = at::kCPU, .copied_bytes = 900, .working_bytes = 101};
  require_memory(need, 1001, "toy");
  require_memory(need, std::nullopt, "toy");
  const Error error = error_of([&] { require_memory(need, 1000, "toy"); });
  EXPECT_EQ(error.code, ErrorCode::kResourceExhausted);
  EXPECT_THAT(error.message, HasSubstr("--dtype bfloat16"));
  // Mapped weights are given back under pressure: they are no reason to refuse.
  require_memory({.device = at::kCPU, .mapped_bytes = 5000}, 1000, "toy");
}

TEST(Memory, OfTheMachineIsKnown) {
  const auto available = available_memory(at::kCPU);
  ASSERT_TRUE(available.has_value());
  EXPECT_GT(*available, 1U << 20);
}

}  // namespace
}  // namespace contra4::models
