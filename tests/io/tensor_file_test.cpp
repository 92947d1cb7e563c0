#include "contra4/io/tensor_file.h"

#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/error_of.h"
#include "tests/support/pickle_bytes.h"
#include "tests/support/safetensors_file.h"
#include "tests/support/test_env.h"

namespace contra4::io {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using testing::error_of;
using ::testing::HasSubstr;
using testing::TempDir;

void write(const fs::path& path, const std::string& bytes) {
  std::ofstream(path, std::ios::binary) << bytes;
}

void write_safetensors(const fs::path& path, const std::vector<std::string>& names) {
  std::vector<testing::StoredTensor> tensors;
  for (const std::string& name : names) tensors.push_back(testing::stored_float32(name, {1}, {1}));
  testing::write_safetensors(path, tensors);
}

void write_torch(const fs::path& path, const std::vector<std::string>& names) {
  std::vector<std::pair<std::string, std::string>> members;
  for (const std::string& name : names) {
    members.emplace_back(name, testing::pickled_tensor(
                                   testing::pickled_storage("FloatStorage", "0", 1), 0, {1}, {1}));
  }
  write(path, testing::torch_zip(testing::pickled_dict(members), {{"0", "1234"}}));
}

// "FILE: NAME NAME", one text per file.
std::vector<std::string> opened(const fs::path& path) {
  std::vector<std::string> texts;
  for (const auto& file : open_tensor_files(path)) {
    std::string text = file->path().filename().string() + ":";
    for (const TensorEntry& tensor : file->tensors()) text += " " + tensor.name;
    texts.push_back(text);
  }
  return texts;
}

Error refusal(const fs::path& path) {
  return error_of([&] { open_tensor_files(path); });
}

TEST(TensorFile, TellsFormatsByContent) {
  const TempDir folder;
  write_safetensors(folder / "a.bin", {"s"});
  write_torch(folder / "b.safetensors", {"t"});
  EXPECT_THAT(opened(folder / "a.bin"), ElementsAre("a.bin: s"));
  EXPECT_THAT(opened(folder / "b.safetensors"), ElementsAre("b.safetensors: t"));
}

TEST(TensorFile, NamesWhatAFileIsNot) {
  const TempDir folder;
  write(folder / "x.pth", "version https://git-lfs.github.com/spec/v1");
  const Error error = refusal(folder / "x.pth");
  EXPECT_EQ(error.code, ErrorCode::kDataLoss);
  EXPECT_THAT(error.message, HasSubstr("x.pth: 42 bytes that are neither safetensors nor a zip"));
  write(folder / "empty.pth", "");
  EXPECT_EQ(refusal(folder / "empty.pth").code, ErrorCode::kDataLoss);
  write(folder / "cut.safetensors", "1234");
  EXPECT_THAT(refusal(folder / "cut.safetensors").message, HasSubstr("4 bytes are no safetensors"));
  EXPECT_EQ(refusal(folder / "none.pth").code, ErrorCode::kNotFound);
}

TEST(TensorFile, AFolderPrefersOneSafetensorsFile) {
  const TempDir folder;
  write_torch(folder / "pytorch_model.bin", {"t"});
  EXPECT_THAT(opened(folder.path()), ElementsAre("pytorch_model.bin: t"));
  write_safetensors(folder / "model-1.safetensors", {"i"});
  write(folder / "model.safetensors.index.json", R"({"weight_map":{"i":"model-1.safetensors"}})");
  EXPECT_THAT(opened(folder.path()), ElementsAre("model-1.safetensors: i"));
  write_safetensors(folder / "model.safetensors", {"s"});
  EXPECT_THAT(opened(folder.path()), ElementsAre("model.safetensors: s"));
}

TEST(TensorFile, OpensTheShardsOfAnIndex) {
  const TempDir folder;
  write_torch(folder / "p-2.bin", {"c"});
  write_torch(folder / "p-1.bin", {"a", "b", "extra"});
  write(folder / "pytorch_model.bin.index.json",
        R"({"metadata":{},"weight_map":{"c":"p-2.bin","b":"p-1.bin","a":"p-1.bin"}})");
  EXPECT_THAT(opened(folder.path()), ElementsAre("p-1.bin: a b extra", "p-2.bin: c"));
}

TEST(TensorFile, RefusesAnIndexThatItsFolderDoesNotKeep) {
  const TempDir folder;
  write_safetensors(folder / "1.safetensors", {"layer.weight"});
  const auto with = [&](const std::string& text) {
    write(folder / "model.safetensors.index.json", text);
    return refusal(folder.path());
  };
  const Error missing = with(R"({"weight_map":{"a":"2.safetensors"}})");
  EXPECT_EQ(missing.code, ErrorCode::kNotFound);
  EXPECT_THAT(missing.message, HasSubstr("index.json: names '2.safetensors', which is not in its "
                                         "folder; download all 1 files"));
  const Error lacks = with(R"({"weight_map":{"layer.weigth":"1.safetensors"}})");
  EXPECT_EQ(lacks.code, ErrorCode::kDataLoss);
  EXPECT_THAT(lacks.message, HasSubstr("'layer.weigth' should be in 1.safetensors, which lacks it; "
                                       "the nearest is 'layer.weight'"));
  for (const char* text :
       {"[]", "{", "{\"weight_map\":{}}", "{\"weight_map\":{\"a\":3}}",
        "{\"weight_map\":{\"a\":\"\"}}", "{\"weight_map\":{\"a\":\"../1.safetensors\"}}"}) {
    EXPECT_THAT(with(text).message, HasSubstr("index.json")) << text;
  }
  EXPECT_THAT(with(R"({"weight_map":{"a":"/etc/passwd"}})").message,
              HasSubstr("'a' lies in no file of this folder"));
}

TEST(TensorFile, OpensConsolidatedFilesWholeAndSplit) {
  const TempDir folder;
  write_torch(folder / "consolidated.00-of-01.s1.pth", {"b"});
  EXPECT_THAT(refusal(folder.path()).message, HasSubstr("looking for part .s0 of "
                                                        "'consolidated.00-of-01', found "
                                                        "'consolidated.00-of-01.s1.pth'"));
  write_torch(folder / "consolidated.00-of-01.s0.pth", {"a"});
  EXPECT_THAT(opened(folder.path()),
              ElementsAre("consolidated.00-of-01.s0.pth: a", "consolidated.00-of-01.s1.pth: b"));
  // Ten is behind nine.
  for (int i = 2; i <= 10; ++i) {
    write_torch(folder / ("consolidated.00-of-01.s" + std::to_string(i) + ".pth"),
                {"n" + std::to_string(i)});
  }
  EXPECT_EQ(opened(folder.path()).back(), "consolidated.00-of-01.s10.pth: n10");
  fs::remove(folder / "consolidated.00-of-01.s4.pth");
  EXPECT_EQ(refusal(folder.path()).code, ErrorCode::kNotFound);
}

TEST(TensorFile, RefusesModelParallelParts) {
  const TempDir folder;
  write_torch(folder / "consolidated.00.pth", {"a"});
  EXPECT_THAT(opened(folder.path()), ElementsAre("consolidated.00.pth: a"));
  write_torch(folder / "consolidated.01.pth", {"a"});
  const Error error = refusal(folder.path());
  EXPECT_EQ(error.code, ErrorCode::kUnimplemented);
  EXPECT_THAT(error.message, HasSubstr("merge them first"));
}

TEST(TensorFile, SaysWhatAFolderWasSearchedFor) {
  const TempDir folder;
  const Error empty = refusal(folder.path());
  EXPECT_EQ(empty.code, ErrorCode::kNotFound);
  EXPECT_THAT(empty.message, HasSubstr("looked for model.safetensors, "));
  EXPECT_THAT(empty.message, HasSubstr("found nothing"));
  write(folder / "weights.pth", "");
  EXPECT_THAT(refusal(folder.path()).message, HasSubstr("found weights.pth; name the file itself"));
}

TEST(TensorFile, ReleasedBytesStayReadable) {
  const TempDir folder;
  write_torch(folder / "x.pth", {"a", "b"});
  const auto file = open_tensor_file(folder / "x.pth");
  const std::string_view bytes = file->bytes(*file->find("b"));
  file->release(bytes);
  file->release({});
  EXPECT_EQ(bytes, "1234");
}

// Every published layout of the references opens.
TEST(TensorFileGolden, OpensThePublishedLayouts) {
  CONTRA4_REQUIRE_SHARED();
  const fs::path goldens = testing::shared_dir() / "goldens";
  const auto onellm = open_tensor_files(goldens / "onellm");
  ASSERT_EQ(onellm.size(), 1U);
  EXPECT_EQ(onellm[0]->tensors().size(), 220U);
  ASSERT_NE(onellm[0]->find("llma.tok_embeddings.weight"), nullptr);
  EXPECT_EQ(onellm[0]->find("llma.tok_embeddings.weight")->type, TensorType::kF16);

  std::size_t num_files = 0;
  for (const char* folder : {"crema/weights", "xinstructblip/checkpoints"}) {
    for (const auto& entry : fs::recursive_directory_iterator(goldens / folder)) {
      const fs::path suffix = entry.path().extension();
      if (suffix != ".pth" && suffix != ".pt" && suffix != ".bin" && suffix != ".safetensors") {
        continue;
      }
      EXPECT_FALSE(open_tensor_file(entry.path())->tensors().empty()) << entry.path();
      ++num_files;
    }
  }
  EXPECT_EQ(num_files, 16U);
  EXPECT_EQ(open_tensor_files(goldens / "crema/weights/flan-t5-xl").size(), 2U);
  EXPECT_EQ(open_tensor_files(goldens / "xinstructblip/checkpoints/vicuna-7b").size(), 2U);
}

}  // namespace
}  // namespace contra4::io
