#include "contra4/apps/commands/models_convert.h"

#include <filesystem>
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "contra4/io/safetensors.h"
#include "tests/apps/run_in_process.h"
#include "tests/support/safetensors_file.h"
#include "tests/support/test_env.h"

namespace contra4::apps {
namespace {

using testing::fixture;
using ::testing::HasSubstr;
using testing::TempDir;

TEST(ModelsConvert, WritesSafetensorsAndSaysWhatStaysBehind) {
  const TempDir folder;
  const std::string input = fixture("io/data/training_protocol2.pth").string();
  const std::string output = (folder / "out/x.safetensors").string();
  const auto outcome = run({"models", "convert", input, output, "--below", "model"});
  EXPECT_EQ(outcome.code, kExitDone) << outcome.err;
  EXPECT_EQ(outcome.out, "");
  EXPECT_THAT(outcome.err, HasSubstr("x.safetensors: 7 tensors, 72 bytes, of 1 file\n"));
  EXPECT_THAT(outcome.err, HasSubstr("left out, being no tensors: optimizer, epoch, scaler, args"));
  const io::SafetensorsFile file(output);
  ASSERT_NE(file.find("0.weight"), nullptr);
  EXPECT_EQ(file.metadata().at(0).second, "pt");
}

TEST(ModelsConvert, ReplacesAFileOnlyWhenTold) {
  const TempDir folder;
  const std::string input = fixture("io/data/one_tensor.pth").string();
  const std::string output = (folder / "x.safetensors").string();
  std::ofstream(output) << "mine";
  const auto refused = run({"models", "convert", input, output});
  EXPECT_EQ(refused.code, kExitFailed);
  EXPECT_THAT(refused.err, HasSubstr("x.safetensors exists; --overwrite replaces it"));
  EXPECT_EQ(io::read_file(output), "mine");
  EXPECT_EQ(run({"models", "convert", input, output, "--overwrite", "--quiet"}).err, "");
  EXPECT_EQ(io::SafetensorsFile(output).tensors().size(), 1U);
}

TEST(ModelsConvert, ConvertsShardsAndTypes) {
  const TempDir folder;
  testing::write_safetensors(folder / "1.safetensors", {testing::stored_float32("b", {1}, {1})});
  testing::write_safetensors(folder / "2.safetensors", {testing::stored_float32("a", {1}, {-2})});
  std::ofstream(folder / "model.safetensors.index.json")
      << R"({"weight_map":{"a":"2.safetensors","b":"1.safetensors"}})";
  const std::string output = (folder / "x.safetensors").string();
  const auto outcome =
      run({"models", "convert", folder.path().string(), output, "--dtype", "bfloat16"});
  EXPECT_EQ(outcome.code, kExitDone) << outcome.err;
  EXPECT_THAT(outcome.err, HasSubstr("2 tensors, 4 bytes, of 2 files"));
  const io::SafetensorsFile file(output);
  EXPECT_EQ(file.find("a")->type, io::TensorType::kBF16);
  EXPECT_EQ(file.bytes(*file.find("a")), std::string("\x00\xC0", 2));
}

TEST(ModelsConvert, NamesWhatIsWrong) {
  const TempDir folder;
  const std::string output = (folder / "x.safetensors").string();
  const auto old_format =
      run({"models", "convert", fixture("io/data/old_format.pth").string(), output});
  EXPECT_EQ(old_format.code, kExitFailed);
  EXPECT_THAT(old_format.err, HasSubstr("Save it anew"));
  EXPECT_EQ(run({"models", "convert", (folder / "none").string(), output}).code, kExitFailed);
  EXPECT_EQ(run({"models", "convert", output}).code, kExitUsage);
  const auto type = run({"models", "convert", "a", output, "--dtype", "float61"});
  EXPECT_EQ(type.code, kExitUsage);
  EXPECT_THAT(type.err, HasSubstr("float16"));
  EXPECT_FALSE(std::filesystem::exists(output));
}

TEST(ModelsConvert, ModelsAloneStillListsFamilies) {
  EXPECT_THAT(run({"models"}).out, HasSubstr("openai/"));
}

}  // namespace
}  // namespace contra4::apps
