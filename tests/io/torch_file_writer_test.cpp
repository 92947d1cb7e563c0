#include "contra4/io/torch_file_writer.h"

#include <cstring>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "contra4/io/file.h"
#include "contra4/io/torch_file.h"
#include "tests/support/error_of.h"
#include "tests/support/python.h"
#include "tests/support/test_env.h"

namespace contra4::io {
namespace {

namespace fs = std::filesystem;
using testing::error_of;
using ::testing::HasSubstr;
using testing::python_output;
using testing::TempDir;

template <class T>
std::string bytes_of(const std::vector<T>& values) {
  std::string bytes(values.size() * sizeof(T), '\0');
  if (!values.empty()) std::memcpy(bytes.data(), values.data(), bytes.size());
  return bytes;
}

struct Input {
  TensorPlan plan;
  std::string bytes;
};

// Of all types that PyTorch has storages for, of all sorts of shapes and names.
std::vector<Input> inputs() {
  return {
      {{.name = "llma.layers.0.weight", .type = TensorType::kBF16, .shape = {2, 3}},
       bytes_of<std::uint16_t>({0x3F80, 0x4000, 0x4040, 0xBF80, 0xC000, 0x7F80})},
      {{.name = "half", .type = TensorType::kF16, .shape = {1, 1, 2, 1}},
       bytes_of<std::uint16_t>({0x3C00, 0xC000})},
      {{.name = "logit_scale", .type = TensorType::kF32, .shape = {}}, bytes_of<float>({4.5F})},
      {{.name = "none", .type = TensorType::kF32, .shape = {0, 4}}, ""},
      {{.name = "double 'quoted' \"twice\" \\ \n", .type = TensorType::kF64, .shape = {2}},
       bytes_of<double>({1.0 / 3, -0.0})},
      {{.name = "\xE5\x90\x8D\xE5\x89\x8D \xF0\x9F\x8E\xB5 " + std::string(300, 'n'),
        .type = TensorType::kI64,
        .shape = {3}},
       bytes_of<std::int64_t>({-1, 0, INT64_MAX})},
      {{.name = "i32", .type = TensorType::kI32, .shape = {1}}, bytes_of<std::int32_t>({7})},
      {{.name = "i16", .type = TensorType::kI16, .shape = {1}}, bytes_of<std::int16_t>({-7})},
      {{.name = "i8", .type = TensorType::kI8, .shape = {2}}, bytes_of<std::int8_t>({-8, 8})},
      {{.name = "u8", .type = TensorType::kU8, .shape = {2}}, bytes_of<std::uint8_t>({0, 255})},
      {{.name = "bool", .type = TensorType::kBool, .shape = {2}}, bytes_of<std::uint8_t>({1, 0})},
      {{.name = "complex", .type = TensorType::kC64, .shape = {1}}, bytes_of<float>({1.5F, -2.5F})},
      {{.name = "long", .type = TensorType::kU8, .shape = {300, 1000}}, std::string(300'000, 'q')},
      {{.name = "last and empty", .type = TensorType::kF64, .shape = {3, 0, 2}}, ""},
  };
}

std::vector<TensorPlan> plans(const std::vector<Input>& tensors) {
  std::vector<TensorPlan> result;
  for (const Input& tensor : tensors) result.push_back(tensor.plan);
  return result;
}

fs::path write(const fs::path& path, const std::vector<Input>& tensors,
               std::uint64_t zip64_from = ZipWriter::kZip64From) {
  TorchFileWriter writer(path, plans(tensors), zip64_from);
  std::string bytes;
  for (const Input& tensor : tensors) bytes += tensor.bytes;
  EXPECT_EQ(writer.num_bytes(), bytes.size());
  // Pieces that know nothing of tensors.
  for (std::size_t i = 0; i < bytes.size(); i += 1001) {
    writer.write(std::string_view(bytes).substr(i, 1001));
  }
  EXPECT_FALSE(fs::exists(path));
  writer.commit();
  return path;
}

constexpr const char* kPrintTensors = R"(
import sys, torch
for mmap in (False, True):
    content = torch.load(sys.argv[1], weights_only=True, mmap=mmap)
    print(type(content).__module__, type(content).__name__, len(content))
    for name, tensor in content.items():
        print(ascii(name)[:40], str(tensor.dtype)[6:], tuple(tensor.shape), tensor.stride(),
              tensor.flatten().tolist()[:6], tensor.is_contiguous(), tensor.data_ptr() % 64,
              tensor.requires_grad)
)";

constexpr const char* kPrinted =
    R"(collections OrderedDict 14
'llma.layers.0.weight' bfloat16 (2, 3) (3, 1) [1.0, 2.0, 3.0, -1.0, -2.0, inf] True 0 False
'half' float16 (1, 1, 2, 1) (2, 2, 1, 1) [1.0, -2.0] True 0 False
'logit_scale' float32 () () [4.5] True 0 False
'none' float32 (0, 4) (4, 1) [] True 0 False
'double \'quoted\' "twice" \\ \n' float64 (2,) (1,) [0.3333333333333333, -0.0] True 0 False
'\u540d\u524d \U0001f3b5 nnnnnnnnnnnnnnn int64 (3,) (1,) [-1, 0, 9223372036854775807] True 0 False
'i32' int32 (1,) (1,) [7] True 0 False
'i16' int16 (1,) (1,) [-7] True 0 False
'i8' int8 (2,) (1,) [-8, 8] True 0 False
'u8' uint8 (2,) (1,) [0, 255] True 0 False
'bool' bool (2,) (1,) [True, False] True 0 False
'complex' complex64 (1,) (1,) [(1.5-2.5j)] True 0 False
'long' uint8 (300, 1000) (1000, 1) [113, 113, 113, 113, 113, 113] True 0 False
'last and empty' float64 (3, 0, 2) (2, 2, 1) [] True 0 False
)";

TEST(TorchFileWriter, WritesWhatOurReaderReads) {
  const TempDir folder;
  for (const std::uint64_t zip64_from : {ZipWriter::kZip64From, std::uint64_t{1000}}) {
    const TorchFile file(write(folder / "a.pth", inputs(), zip64_from));
    ASSERT_EQ(file.tensors().size(), inputs().size());
    for (const Input& input : inputs()) {
      const TensorEntry* entry = file.find(input.plan.name);
      ASSERT_NE(entry, nullptr) << input.plan.name;
      EXPECT_EQ(entry->type, input.plan.type);
      EXPECT_EQ(entry->shape, input.plan.shape);
      EXPECT_EQ(entry->offset % 64, 0U);
      EXPECT_EQ(file.bytes(*entry), input.bytes);
    }
    fs::remove(folder / "a.pth");
  }
}

TEST(TorchFileWriter, PyTorchReadsAndMapsIt) {
  CONTRA4_REQUIRE_PYTHON();
  const TempDir folder;
  const auto path = write(folder / "a.pth", inputs());
  EXPECT_EQ(python_output(kPrintTensors, {path.string()}), std::string(kPrinted) + kPrinted);
}

TEST(TorchFileWriter, PyTorchReadsTheNumbersOfZip64) {
  CONTRA4_REQUIRE_PYTHON();
  const TempDir folder;
  const auto path = write(folder / "a.pth", inputs(), 1000);
  EXPECT_EQ(python_output(kPrintTensors, {path.string()}), std::string(kPrinted) + kPrinted);
}

TEST(TorchFileWriter, MoreMembersThanTheOldDirectoryCounts) {
  CONTRA4_REQUIRE_PYTHON();
  const TempDir folder;
  std::vector<Input> many;
  for (int i = 0; i < 70'000; ++i) {
    many.push_back({{.name = std::to_string(i), .type = TensorType::kI32, .shape = {1}},
                    bytes_of<std::int32_t>({i})});
  }
  const auto path = write(folder / "a.pth", many);
  const TorchFile file(path);
  ASSERT_EQ(file.tensors().size(), many.size());
  EXPECT_EQ(file.bytes(*file.find("69999")), many.back().bytes);
  EXPECT_EQ(python_output("import sys, torch\n"
                          "content = torch.load(sys.argv[1], weights_only=True, mmap=True)\n"
                          "print(len(content), all(int(n) == t.item() for n, t in "
                          "content.items()))\n",
                          {path.string()}),
            "70000 True\n");
}

TEST(TorchFileWriter, CountsThatNeedMoreBytesAreNumbersToPython) {
  CONTRA4_REQUIRE_PYTHON();
  const TempDir folder;
  // Shapes without elements: numbers of every width, and no bytes.
  std::vector<Input> tensors;
  for (const std::int64_t size :
       {std::int64_t{255}, std::int64_t{256}, std::int64_t{65535}, std::int64_t{65536},
        (std::int64_t{1} << 31) - 1, std::int64_t{1} << 31, std::int64_t{1} << 39,
        (std::int64_t{1} << 55) + 1}) {
    tensors.push_back(
        {{.name = std::to_string(size), .type = TensorType::kU8, .shape = {0, size}}, ""});
  }
  const auto path = write(folder / "a.pth", tensors);
  EXPECT_EQ(python_output("import sys, torch\n"
                          "content = torch.load(sys.argv[1], weights_only=True)\n"
                          "print(len(content), all(t.shape == (0, int(n)) for n, t in "
                          "content.items()))\n",
                          {path.string()}),
            "8 True\n");
  EXPECT_EQ(TorchFile(path).find("36028797018963969")->shape,
            (std::vector<std::int64_t>{0, (std::int64_t{1} << 55) + 1}));
}

TEST(TorchFileWriter, TheSameTensorsGiveTheSameBytes) {
  const TempDir folder;
  EXPECT_EQ(read_file(write(folder / "a.pth", inputs())),
            read_file(write(folder / "deeper/b.pth", inputs())));
}

TEST(TorchFileWriter, RefusesWhatTheFormatLacks) {
  const TempDir folder;
  const auto error = [&](std::vector<TensorPlan> tensors) {
    return error_of([&] { const TorchFileWriter writer(folder / "a.pth", std::move(tensors)); });
  };
  Error refused = error({{.name = "a\xFF", .shape = {1}}});
  EXPECT_EQ(refused.code, ErrorCode::kInvalidArgument);
  EXPECT_THAT(refused.message, HasSubstr("no UTF-8"));
  refused = error({{.name = "", .shape = {1}}});
  EXPECT_EQ(refused.code, ErrorCode::kInvalidArgument);
  EXPECT_THAT(refused.message, HasSubstr("has no name"));
  refused = error({{.name = "twin", .shape = {1}}, {.name = "twin", .shape = {2}}});
  EXPECT_EQ(refused.code, ErrorCode::kInvalidArgument);
  EXPECT_THAT(refused.message, HasSubstr("a.pth: tensor 'twin' is there twice"));
  for (const TensorType type : {TensorType::kU16, TensorType::kU32, TensorType::kU64,
                                TensorType::kF8E4M3, TensorType::kF8E5M2}) {
    refused = error({{.name = "odd", .type = type, .shape = {1}}});
    EXPECT_EQ(refused.code, ErrorCode::kUnimplemented);
    EXPECT_THAT(refused.message, HasSubstr("'odd' is of type " + std::string(to_string(type))));
  }
  EXPECT_TRUE(fs::is_empty(folder.path()));
  EXPECT_EQ(error_of([] { const TorchFileWriter writer("/dev/null", {}); }).code,
            ErrorCode::kInvalidArgument);
  EXPECT_TRUE(fs::is_character_file("/dev/null"));
}

TEST(TorchFileWriter, LeavesNothingBehindWithoutAllBytes) {
  const TempDir folder;
  {
    TorchFileWriter writer(folder / "a.pth",
                           {{.name = "a", .type = TensorType::kU8, .shape = {2}},
                            {.name = "b", .type = TensorType::kU8, .shape = {1}}});
    writer.write("12");
    EXPECT_EQ(error_of([&] { writer.commit(); }).code, ErrorCode::kInternal);
    EXPECT_EQ(error_of([&] { writer.write("34"); }).code, ErrorCode::kInternal);
  }
  EXPECT_TRUE(fs::is_empty(folder.path()));
}

}  // namespace
}  // namespace contra4::io
