#include "contra4/nn/placement.h"

#include <ATen/ops/equal.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "contra4/base/error.h"
#include "tests/support/error_of.h"
#include "tests/support/tensors.h"
#include "tests/support/test_env.h"

namespace contra4::nn {
namespace {

class PlacementTest : public ::testing::Test {
 protected:
  void SetUp() override {
    testing::write_safetensors(
        folder_ / "x.safetensors",
        {testing::stored("w", testing::wavy({2, 3})), {"ids", "I64", {1}, std::string(8, '\0')}});
  }
  testing::TempDir folder_;
};

TEST_F(PlacementTest, UsesStoredTensorsAsTheyLieInTheFile) {
  const tensor::Checkpoint checkpoint(folder_ / "x.safetensors");
  const at::Tensor weight = load_weight(checkpoint, "w", {2, 3});
  EXPECT_EQ(weight.const_data_ptr(), checkpoint.find("w")->const_data_ptr());
}

TEST_F(PlacementTest, CopiesIntoAnotherType) {
  const tensor::Checkpoint checkpoint(folder_ / "x.safetensors");
  const at::Tensor weight =
      load_weight(checkpoint, "w", {2, 3}, {.device = at::kCPU, .dtype = at::kBFloat16});
  EXPECT_TRUE(at::equal(weight, testing::wavy({2, 3}).to(at::kBFloat16)));
  // What was copied can still be read again.
  EXPECT_TRUE(at::equal(load_weight(checkpoint, "w", {2, 3}), testing::wavy({2, 3})));
}

TEST_F(PlacementTest, RefusesIntegersAndOtherShapes) {
  const tensor::Checkpoint checkpoint(folder_ / "x.safetensors");
  const Error of_integers = testing::error_of([&] { load_weight(checkpoint, "ids", {1}); });
  EXPECT_EQ(of_integers.code, ErrorCode::kDataLoss);
  EXPECT_THAT(of_integers.message, ::testing::HasSubstr("tensor 'ids' is of type Long"));
  EXPECT_EQ(testing::error_of([&] {
              load_weight(checkpoint, "w", {3, 2});
            }).code,
            ErrorCode::kDataLoss);
  EXPECT_EQ(testing::error_of([&] {
              load_weight(checkpoint, "v", {3, 2});
            }).code,
            ErrorCode::kNotFound);
}

TEST(Placement, GivesTheVeryLeafThatLiesInMemory) {
  const at::Tensor leaf = testing::wavy({2, 3}).requires_grad_();
  const auto checkpoint = tensor::Checkpoint::of_tensors({{"w", leaf}}, "training");
  EXPECT_TRUE(load_weight(checkpoint, "w", {2, 3}).is_same(leaf));
}

}  // namespace
}  // namespace contra4::nn
