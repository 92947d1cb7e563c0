#include "contra4/tensor/checkpoint.h"

#include <cstring>
#include <fstream>
#include <string>

#include <ATen/ops/arange.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/real.h>
#include <ATen/ops/scalar_tensor.h>
#include <ATen/ops/tensor.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "contra4/base/error.h"
#include "contra4/io/tensor_convert.h"
#include "tests/support/error_of.h"
#include "tests/support/pickle_bytes.h"
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

// The numbers 1, 2, 3, ... in that shape.
at::Tensor counting(const std::vector<std::int64_t>& shape) {
  std::int64_t count = 1;
  for (const std::int64_t size : shape) count *= size;
  return at::arange(1, count + 1, at::kFloat).view(shape);
}

TEST(Checkpoint, ViewsOfPyTorchBecomeContiguous) {
  const Checkpoint checkpoint(testing::fixture("io/data/layouts.pth"));
  const at::Tensor whole = counting({4, 6});
  const auto expect = [&](const char* name, const at::Tensor& expected) {
    const auto tensor = checkpoint.find(name);
    ASSERT_TRUE(tensor.has_value()) << name;
    EXPECT_TRUE(tensor->is_contiguous()) << name;
    EXPECT_EQ(tensor->sizes(), expected.sizes()) << name;
    EXPECT_TRUE(at::equal(*tensor, expected)) << name;
  };
  expect("whole", whole);
  expect("rows", whole.slice(0, 1, 3));
  expect("transposed", whole.t());
  expect("columns", whole.slice(1, 1, 6, 2));
  expect("one", whole[2][3]);
  expect("repeated", counting({3}).expand({2, 3}));
  expect("empty", at::empty({0, 5}));
  expect("scalar", at::scalar_tensor(7.0F));
  expect("parameter", counting({2, 2}));
  expect("marked", counting({2}));
  expect("permuted", counting({2, 3, 4}).permute({2, 0, 1}));
  // What lies there as it is used is used there.
  EXPECT_EQ(checkpoint.find("tied")->data_ptr(), checkpoint.find("parameter")->data_ptr());
}

TEST(Checkpoint, OpensEveryTypeOfPyTorch) {
  const Checkpoint checkpoint(testing::fixture("io/data/every_type.pth"));
  ASSERT_EQ(checkpoint.size(), 16U);
  for (const std::string& name : checkpoint.names()) {
    const at::Tensor tensor = checkpoint.get(name, {2, 3});
    if (name == "bool") {
      EXPECT_TRUE(
          at::equal(tensor.to(at::kInt), at::tensor({1, 0, 1, 0, 1, 0}).view({2, 3}).to(at::kInt)));
    } else if (name == "complex64") {
      EXPECT_TRUE(at::equal(at::real(tensor), counting({2, 3})));
    } else if (name == "float8_e4m3fn" || name == "float8_e5m2" || !tensor.is_floating_point()) {
      EXPECT_TRUE(at::equal(tensor.to(at::kFloat),
                            name == "float8_e5m2"
                                ? counting({2, 3}).to(at::kFloat8_e5m2).to(at::kFloat)
                                : counting({2, 3})))
          << name;
    } else {
      EXPECT_TRUE(at::equal(checkpoint.get_float32(name, {2, 3}), counting({2, 3}))) << name;
    }
  }
}

TEST(Checkpoint, CopiesStridedTensorsThatAreNotAligned) {
  const testing::TempDir folder;
  // [[0 1] [2 3]] as int16, transposed, behind a name of odd length in the zip.
  for (const char* key : {"0", "00"}) {
    const std::string file = testing::torch_zip(
        testing::pickled_dict(
            {{"w", testing::pickled_tensor(testing::pickled_storage("ShortStorage", key, 4), 0,
                                           {2, 2}, {1, 2})},
             {"v", testing::pickled_tensor(testing::pickled_storage("ShortStorage", key, 4), 1, {3},
                                           {1})}}),
        {{key, std::string("\0\0\1\0\2\0\3\0", 8)}});
    std::ofstream(folder / "x.pth", std::ios::binary) << file;
    const Checkpoint checkpoint(folder / "x.pth");
    EXPECT_TRUE(at::equal(checkpoint.get("w", {2, 2}).to(at::kInt),
                          at::tensor({0, 2, 1, 3}).to(at::kInt).view({2, 2})));
    EXPECT_TRUE(
        at::equal(checkpoint.get("v", {3}).to(at::kInt), at::tensor({1, 2, 3}).to(at::kInt)));
  }
}

TEST(Checkpoint, OpensAFolder) {
  const testing::TempDir folder;
  testing::write_safetensors(folder / "model.safetensors",
                             {testing::stored_float32("w", {1}, {1})});
  EXPECT_THAT(Checkpoint(folder.path()).names(), ElementsAre("w"));
  EXPECT_EQ(error_of([&] { const Checkpoint none(folder / "none"); }).code, ErrorCode::kNotFound);
}

TEST(Checkpoint, ReleasedTensorsStayWhatTheyAre) {
  const Checkpoint checkpoint(testing::fixture("io/data/layouts.pth"));
  const at::Tensor whole = checkpoint.get("whole", {4, 6});
  checkpoint.release("whole");
  checkpoint.release("no such tensor");
  EXPECT_TRUE(at::equal(whole, counting({4, 6})));
}

TEST(Checkpoint, ReportsWhatLacksAndWhatNobodyWants) {
  const testing::TempDir folder;
  std::vector<testing::StoredTensor> tensors;
  for (const char* name : {"a.weight", "b.weigth", "z"}) {
    tensors.push_back(testing::stored_float32(name, {1}, {0}));
  }
  testing::write_safetensors(folder / "x.safetensors", tensors);
  const Checkpoint checkpoint(folder / "x.safetensors");
  const std::vector<std::string> wanted = {"b.weight", "a.weight", "a.weight"};
  const NameComparison comparison = checkpoint.compare_names(wanted);
  EXPECT_THAT(comparison.missing, ElementsAre("b.weight"));
  EXPECT_THAT(comparison.unexpected, ElementsAre("b.weigth", "z"));
  EXPECT_EQ(checkpoint.name_report(wanted),
            "lacks 1 of 3 tensors: 'b.weight' (the nearest is 'b.weigth'); has 2 others: "
            "'b.weigth', 'z'");
  EXPECT_EQ(checkpoint.name_report(checkpoint.names()), "");
  EXPECT_THAT(checkpoint.find_entry("z")->shape, ElementsAre(1));
  EXPECT_EQ(checkpoint.find_entry("y"), nullptr);

  std::vector<std::string> many;
  for (int i = 0; i < 20; ++i) many.push_back("layers." + std::to_string(i) + ".norm");
  EXPECT_THAT(checkpoint.name_report(many), HasSubstr("'layers.15.norm', and 12 more; has 3"));
}

TEST(Checkpoint, AConvertedCheckpointIsTheSame) {
  const testing::TempDir folder;
  for (const char* name : {"layouts.pth", "every_type.pth", "training_protocol5.pth"}) {
    const auto input = testing::fixture(std::string("io/data/") + name);
    const auto output = folder / (std::string(name) + ".safetensors");
    io::write_safetensors(io::open_tensor_files(input), output, {});
    const Checkpoint before(input);
    const Checkpoint after(output);
    ASSERT_EQ(after.names(), before.names());
    for (const std::string& tensor : before.names()) {
      const at::Tensor expected = *before.find(tensor);
      const at::Tensor found = *after.find(tensor);
      EXPECT_EQ(found.scalar_type(), expected.scalar_type()) << tensor;
      EXPECT_EQ(found.sizes(), expected.sizes()) << tensor;
      EXPECT_EQ(std::memcmp(found.data_ptr(), expected.data_ptr(), found.nbytes()), 0) << tensor;
    }
  }
}

TEST(Checkpoint, GivesTheVeryTensorsItWasMadeOf) {
  const at::Tensor leaf = at::tensor({1.F, 2.F}).requires_grad_();
  const at::Tensor half = leaf.detach().to(at::kHalf);
  const Checkpoint checkpoint = Checkpoint::of_tensors({{"leaf", leaf}, {"half", half}}, "step 3");
  EXPECT_TRUE(checkpoint.get("leaf", {2}).is_same(leaf));
  EXPECT_TRUE(checkpoint.find("half")->is_same(half));
  EXPECT_FALSE(checkpoint.find("other").has_value());
  EXPECT_EQ(checkpoint.get_float32("half", {2}).scalar_type(), at::kFloat);
  EXPECT_THAT(checkpoint.names(), ElementsAre("half", "leaf"));
  EXPECT_EQ(checkpoint.find_entry("half")->type, io::TensorType::kF16);
  EXPECT_EQ(checkpoint.find_entry("half")->num_bytes, 4U);
  checkpoint.release("leaf");
  EXPECT_TRUE(at::equal(*checkpoint.find("leaf"), at::tensor({1.F, 2.F})));
  const Error shape = error_of([&] { checkpoint.get("leaf", {3}); });
  EXPECT_EQ(shape.code, ErrorCode::kDataLoss);
  EXPECT_THAT(shape.message, HasSubstr("step 3: tensor 'leaf' has shape [2], wanted [3]"));
  const Error name = error_of([&] { checkpoint.get("lead", {2}); });
  EXPECT_EQ(name.code, ErrorCode::kNotFound);
  EXPECT_THAT(name.message, HasSubstr("step 3: no tensor 'lead'"));
}

TEST(Checkpoint, RefusesANameThatComesTwice) {
  const at::Tensor tensor = at::tensor({1.F});
  const Error error = error_of([&] {
    Checkpoint::of_tensors({{"w", tensor}, {"w", tensor}}, "step 3");
  });
  EXPECT_EQ(error.code, ErrorCode::kInvalidArgument);
  EXPECT_THAT(error.message, HasSubstr("step 3: two tensors 'w'"));
}

}  // namespace
}  // namespace contra4::tensor
