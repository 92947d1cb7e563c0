#include "contra4/train/final_model.h"

#include <ATen/ops/arange.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/full.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "contra4/io/file.h"
#include "contra4/io/safetensors_writer.h"
#include "tests/support/error_of.h"
#include "tests/support/python.h"
#include "tests/support/test_env.h"

namespace contra4::train {
namespace {

namespace fs = std::filesystem;
using testing::error_of;
using ::testing::HasSubstr;
using testing::TempDir;

// Published names and shapes, in float16.
const fs::path kTiny = CONTRA4_TINY_ONELLM;
const std::vector<std::string> kChanged = {"llma.output.weight", "llma.norm.weight",
                                           "llma.layers.1.attention.wq.weight"};

FinalModelOptions options_for(const fs::path& folder, at::ScalarType type) {
  return {.folder = folder,
          .writes_torch_file = true,
          .writes_safetensors = true,
          .type = type,
          .config = kTiny / "params.json",
          .tokenizer = kTiny / "tokenizer.model"};
}

// What training made of a tensor: in float32, as master weights are.
at::Tensor trained(const tensor::Checkpoint& source, const std::string& name) {
  return source.find(name)->to(at::kFloat).mul(2).add(1.0 / 3);
}

void write_tiny(const tensor::Checkpoint& source, const FinalModelOptions& options) {
  FinalModelWriter writer(source, kChanged, options);
  for (const std::string& name : kChanged) writer.add(name, trained(source, name));
  writer.commit();
}

bool is_changed(const std::string& name) {
  return std::find(kChanged.begin(), kChanged.end(), name) != kChanged.end();
}

TEST(FinalModel, HasEveryTensorInBothFiles) {
  const TempDir folder;
  const tensor::Checkpoint source(kTiny);
  write_tiny(source, options_for(folder / "model", at::kBFloat16));
  for (const char* name : {"consolidated.00-of-01.pth", "model.safetensors"}) {
    const tensor::Checkpoint model({folder / "model" / name});
    ASSERT_EQ(model.names(), source.names());
    for (const std::string& each : source.names()) {
      const at::Tensor before = *source.find(each);
      const at::Tensor expected = is_changed(each) ? trained(source, each) : before;
      EXPECT_TRUE(at::equal(*model.find(each), expected.to(at::kBFloat16))) << name << ' ' << each;
      EXPECT_EQ(model.find_entry(each)->shape, before.sizes().vec());
      EXPECT_EQ(model.find_entry(each)->offset % 2, 0U);
    }
  }
  for (const char* name : {"params.json", "tokenizer.model"}) {
    EXPECT_EQ(io::read_file(folder / "model" / name), io::read_file(kTiny / name));
  }
}

TEST(FinalModel, WhatIsNotTrainedStaysByteForByte) {
  const TempDir folder;
  const tensor::Checkpoint source(kTiny);
  write_tiny(source, options_for(folder.path(), at::kHalf));
  const auto file = io::open_tensor_file(folder / "consolidated.00-of-01.pth");
  const auto before = io::open_tensor_file(kTiny / "consolidated.00-of-01.pth");
  int num_same = 0;
  for (const io::TensorEntry& entry : before->tensors()) {
    const io::TensorEntry* after = file->find(entry.name);
    ASSERT_NE(after, nullptr);
    EXPECT_EQ(after->type, io::TensorType::kF16);
    const bool is_same = file->bytes(*after) == before->bytes(entry);
    EXPECT_NE(is_same, is_changed(entry.name)) << entry.name;
    num_same += is_same ? 1 : 0;
  }
  EXPECT_EQ(num_same, static_cast<int>(source.size() - kChanged.size()));
}

TEST(FinalModel, PyTorchLoadsItAsThePublishedOne) {
  CONTRA4_REQUIRE_PYTHON();
  const TempDir folder;
  const tensor::Checkpoint source(kTiny);
  write_tiny(source, options_for(folder.path(), at::kBFloat16));
  EXPECT_EQ(testing::python_output(
                "import sys, torch\n"
                "before = torch.load(sys.argv[1], weights_only=True)\n"
                "model = torch.load(sys.argv[2], map_location='cpu', weights_only=True)\n"
                "print(type(model).__name__, model.keys() == before.keys())\n"
                "print({str(t.dtype) for t in model.values()})\n"
                "print(sorted(n for n in model if not torch.equal(model[n], "
                "before[n].bfloat16())))\n"
                "name = 'llma.norm.weight'\n"
                "print(torch.equal(model[name], (before[name].float() * 2 + 1 / 3).bfloat16()))\n",
                {(kTiny / "consolidated.00-of-01.pth").string(),
                 (folder / "consolidated.00-of-01.pth").string()}),
            "OrderedDict True\n{'torch.bfloat16'}\n['llma.layers.1.attention.wq.weight', "
            "'llma.norm.weight', 'llma.output.weight']\nTrue\n");
}

TEST(FinalModel, TheSameTrainingGivesTheSameBytes) {
  const TempDir folder;
  const tensor::Checkpoint source(kTiny);
  for (const char* name : {"a", "b"}) write_tiny(source, options_for(folder / name, at::kBFloat16));
  for (const char* name : {"consolidated.00-of-01.pth", "model.safetensors"}) {
    EXPECT_EQ(io::read_file(folder / "a" / name), io::read_file(folder / "b" / name));
  }
}

TEST(FinalModel, OtherTypesKeepTheirPlaceAndTheirAlignment) {
  const TempDir folder;
  {
    io::SafetensorsWriter writer(folder / "source.safetensors",
                                 {{.name = "counts", .type = io::TensorType::kI64, .shape = {1}},
                                  {.name = "b", .type = io::TensorType::kF32, .shape = {3}},
                                  {.name = "a", .type = io::TensorType::kF64, .shape = {}},
                                  {.name = "mask", .type = io::TensorType::kBool, .shape = {3}},
                                  {.name = "ids", .type = io::TensorType::kI32, .shape = {1}},
                                  {.name = "none", .type = io::TensorType::kF16, .shape = {0, 2}}},
                                 {});
    writer.write(std::string(writer.num_bytes(), '\1'));
    writer.commit();
  }
  const tensor::Checkpoint source(folder / "source.safetensors");
  for (const at::ScalarType type : {at::kFloat, at::kBFloat16, at::kDouble}) {
    FinalModelWriter writer(source, {"b"},
                            {.folder = folder / "model",
                             .writes_torch_file = true,
                             .writes_safetensors = true,
                             .type = type});
    writer.add("b", at::arange(3, at::kDouble).mul(0.5));
    writer.commit();
    for (const char* name : {"consolidated.00-of-01.pth", "model.safetensors"}) {
      const tensor::Checkpoint model({folder / "model" / name});
      EXPECT_EQ(model.names(), source.names());
      EXPECT_TRUE(at::equal(*model.find("counts"), *source.find("counts")));
      EXPECT_TRUE(at::equal(*model.find("mask"), *source.find("mask")));
      EXPECT_TRUE(at::equal(*model.find("ids"), *source.find("ids")));
      EXPECT_TRUE(at::equal(*model.find("a"), source.find("a")->to(type)));
      EXPECT_TRUE(at::equal(*model.find("b"), at::arange(3, type).mul(0.5)));
      EXPECT_EQ(model.find("none")->scalar_type(), type);
      for (const std::string& each : model.names()) {
        const io::TensorEntry* entry = model.find_entry(each);
        EXPECT_EQ(entry->offset % io::bytes_per_element(entry->type), 0U) << name << ' ' << each;
      }
    }
  }
  EXPECT_FALSE(fs::exists(folder / "model/params.json"));
}

TEST(FinalModel, AppearsWholeOrNotAtAll) {
  const TempDir folder;
  const tensor::Checkpoint source(kTiny);
  {
    FinalModelWriter writer(source, kChanged, options_for(folder.path(), at::kBFloat16));
    writer.add(kChanged[0], trained(source, kChanged[0]));
    EXPECT_EQ(error_of([&] { writer.add(kChanged[2], trained(source, kChanged[2])); }).code,
              ErrorCode::kInternal);
    EXPECT_EQ(error_of([&] { writer.add(kChanged[1], at::full({2}, 1)); }).code,
              ErrorCode::kInternal);
    EXPECT_EQ(error_of([&] { writer.commit(); }).code, ErrorCode::kInternal);
  }
  EXPECT_FALSE(fs::exists(folder / "consolidated.00-of-01.pth"));
  EXPECT_FALSE(fs::exists(folder / "model.safetensors"));
  FinalModelOptions options = options_for(folder.path(), at::kBFloat16);
  options.tokenizer = folder / "none";
  EXPECT_EQ(error_of([&] { const FinalModelWriter writer(source, {}, options); }).code,
            ErrorCode::kNotFound);
}

TEST(FinalModel, WeightsInTheWayAreFoundBeforeTheTraining) {
  const TempDir folder;
  FinalModelOptions options = options_for(folder / "model", at::kBFloat16);
  check_model_folder(options, kTiny);
  // Those of an earlier training are replaced.
  io::write_file_atomically(folder / "model/consolidated.00-of-01.pth", "");
  io::write_file_atomically(folder / "model/model.safetensors", "");
  check_model_folder(options, kTiny);
  options.writes_safetensors = false;
  Error error = error_of([&] { check_model_folder(options, kTiny); });
  EXPECT_EQ(error.code, ErrorCode::kInvalidArgument);
  EXPECT_THAT(error.message, HasSubstr("model.safetensors: weights that would be read"));
  fs::remove(folder / "model/model.safetensors");
  check_model_folder(options, kTiny);
  io::write_file_atomically(folder / "model/consolidated.00-of-01.s1.pth", "");
  error = error_of([&] { check_model_folder(options, kTiny); });
  EXPECT_THAT(error.message, HasSubstr("consolidated.00-of-01.s1.pth"));

  // By folder, by file, and by another way to the same place.
  fs::create_directory_symlink(kTiny, folder / "link");
  for (const fs::path& place : {kTiny, folder / "link", kTiny / "."}) {
    options.folder = place;
    for (const fs::path& source : {kTiny, kTiny / "consolidated.00-of-01.pth"}) {
      error = error_of([&] { check_model_folder(options, source); });
      EXPECT_EQ(error.code, ErrorCode::kInvalidArgument);
      EXPECT_THAT(error.message, HasSubstr("the checkpoint that is trained lies there"));
    }
  }
}

}  // namespace
}  // namespace contra4::train
