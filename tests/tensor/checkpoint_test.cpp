#include "contra4/tensor/checkpoint.h"

#include <string>

#include <ATen/ops/equal.h>
#include <ATen/ops/tensor.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "contra4/base/error.h"
#include "tests/support/error_of.h"
#include "tests/support/safetensors_file.h"
#include "tests/support/test_env.h"

namespace contra4::tensor {
namespace {

using ::testing::ElementsAre;
using testing::error_of;
using ::testing::HasSubstr;

TEST(Checkpoint, GivesTensorsWithoutACopy) {
  const testing::TempDir folder;
  const auto path = folder / "x.safetensors";
  testing::write_safetensors(path, {testing::stored_float32("w", {2, 2}, {1, 2, 3, 4})});
  at::Tensor tensor;
  {
    const Checkpoint checkpoint(path);
    tensor = checkpoint.get("w", {2, 2});
    EXPECT_EQ(tensor.data_ptr(), checkpoint.get_float32("w", {2, 2}).data_ptr());
  }
  // The file stays mapped for the tensor.
  EXPECT_TRUE(at::equal(tensor, at::tensor({1.F, 2.F, 3.F, 4.F}).view({2, 2})));
}

TEST(Checkpoint, WidensHalvesToFloat32) {
  const testing::TempDir folder;
  const auto path = folder / "x.safetensors";
  // 1.5 and -2 in both formats, little-endian.
  testing::write_safetensors(path, {{"half", "F16", {2}, std::string("\x00\x3e\x00\xc0", 4)},
                                    {"brain", "BF16", {2}, std::string("\xc0\x3f\x00\xc0", 4)}});
  const Checkpoint checkpoint(path);
  const at::Tensor expected = at::tensor({1.5F, -2.F});
  EXPECT_TRUE(at::equal(checkpoint.get_float32("half", {2}), expected));
  EXPECT_TRUE(at::equal(checkpoint.get_float32("brain", {2}), expected));
  EXPECT_EQ(checkpoint.get("half", {2}).scalar_type(), at::kHalf);
}

TEST(Checkpoint, OpensEveryStoredType) {
  const testing::TempDir folder;
  std::vector<testing::StoredTensor> tensors;
  for (const char* type : {"BOOL", "U8", "I8", "F8_E4M3", "F8_E5M2"}) {
    tensors.push_back({type, type, {8}, std::string(8, '\0')});
  }
  for (const char* type : {"U16", "I16", "F16", "BF16"}) {
    tensors.push_back({type, type, {4}, std::string(8, '\0')});
  }
  for (const char* type : {"U32", "I32", "F32"})
    tensors.push_back({type, type, {2}, std::string(8, '\0')});
  for (const char* type : {"U64", "I64", "F64", "C64"}) {
    tensors.push_back({type, type, {}, std::string(8, '\0')});
  }
  testing::write_safetensors(folder / "x.safetensors", tensors);
  const Checkpoint checkpoint(folder / "x.safetensors");
  for (const std::string& name : checkpoint.names()) {
    const auto tensor = checkpoint.find(name);
    ASSERT_TRUE(tensor.has_value());
    EXPECT_EQ(tensor->nbytes(), 8U) << name;
  }
  EXPECT_EQ(checkpoint.names().size(), tensors.size());
}

TEST(Checkpoint, CopiesWhatIsNotAlignedAndKeepsEmptyShapes) {
  const testing::TempDir folder;
  testing::write_safetensors(folder / "x.safetensors", {{"byte", "U8", {1}, "x"},
                                                        testing::stored_float32("odd", {2}, {5, 6}),
                                                        {"none", "F32", {0, 3}, ""}});
  const Checkpoint checkpoint(folder / "x.safetensors");
  EXPECT_TRUE(at::equal(checkpoint.get("odd", {2}), at::tensor({5.F, 6.F})));
  EXPECT_EQ(checkpoint.get("none", {0, 3}).numel(), 0);
}

TEST(Checkpoint, NamesTheMissingTensorAndTheNearest) {
  const testing::TempDir folder;
  testing::write_safetensors(folder / "x.safetensors",
                             {testing::stored_float32("layer.weight", {1}, {0})});
  const Checkpoint checkpoint(folder / "x.safetensors");
  EXPECT_FALSE(checkpoint.find("layer.weigth").has_value());
  const Error error = error_of([&] { checkpoint.get("layer.weigth", {1, 2}); });
  EXPECT_EQ(error.code, ErrorCode::kNotFound);
  EXPECT_THAT(error.message, HasSubstr("x.safetensors: no tensor 'layer.weigth' of shape [1, 2] "
                                       "among 1; the nearest is 'layer.weight'"));
}

TEST(Checkpoint, NamesWantedAndFoundShape) {
  const testing::TempDir folder;
  testing::write_safetensors(
      folder / "x.safetensors",
      {testing::stored_float32("w", {2, 1}, {0, 0}), {"i", "I32", {1}, "1234"}});
  const Checkpoint checkpoint(folder / "x.safetensors");
  const Error shape = error_of([&] { checkpoint.get("w", {1, 2}); });
  EXPECT_EQ(shape.code, ErrorCode::kDataLoss);
  EXPECT_THAT(shape.message, HasSubstr("tensor 'w' has shape [2, 1], wanted [1, 2]"));
  const Error type = error_of([&] { checkpoint.get_float32("i", {1}); });
  EXPECT_EQ(type.code, ErrorCode::kDataLoss);
  EXPECT_THAT(type.message, HasSubstr("tensor 'i' is of type I32"));
}

TEST(Checkpoint, SeveralFilesAreOneSetOfNames) {
  const testing::TempDir folder;
  testing::write_safetensors(folder / "1.safetensors", {testing::stored_float32("b", {1}, {1})});
  testing::write_safetensors(folder / "2.safetensors", {testing::stored_float32("a", {1}, {2})});
  const Checkpoint both({folder / "1.safetensors", folder / "2.safetensors"});
  EXPECT_THAT(both.names(), ElementsAre("a", "b"));
  EXPECT_EQ(both.get("a", {1}).item<float>(), 2);
  const Error twice = error_of([&] {
    const Checkpoint same({folder / "1.safetensors", folder / "1.safetensors"});
  });
  EXPECT_EQ(twice.code, ErrorCode::kDataLoss);
  EXPECT_THAT(twice.message, HasSubstr("tensor 'b' is in "));
}

}  // namespace
}  // namespace contra4::tensor
