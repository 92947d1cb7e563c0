#include "contra4/io/tensor_convert.h"

#include <cstring>
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "contra4/io/safetensors.h"
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

ConvertResult convert(const fs::path& input, const fs::path& output,
                      const ConvertOptions& options = {}) {
  return write_safetensors(open_tensor_files(input), output, options);
}

std::vector<float> floats_of(const SafetensorsFile& file, const std::string& name) {
  const TensorEntry* entry = file.find(name);
  if (entry == nullptr || entry->type != TensorType::kF32) return {};
  std::vector<float> values(entry->num_bytes / sizeof(float));
  std::memcpy(values.data(), file.bytes(*entry).data(), entry->num_bytes);
  return values;
}

TEST(TensorConvert, ViewsBecomeRowMajor) {
  const TempDir folder;
  const auto result = convert(testing::fixture("io/data/layouts.pth"), folder / "x.safetensors");
  EXPECT_EQ(result.num_tensors, 13U);
  const SafetensorsFile file(folder / "x.safetensors");
  ASSERT_EQ(file.tensors().size(), 13U);
  EXPECT_THAT(floats_of(file, "rows"), ElementsAre(7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18));
  EXPECT_THAT(floats_of(file, "transposed"),
              ElementsAre(1, 7, 13, 19, 2, 8, 14, 20, 3, 9, 15, 21, 4, 10, 16, 22, 5, 11, 17, 23, 6,
                          12, 18, 24));
  EXPECT_THAT(floats_of(file, "columns"), ElementsAre(2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24));
  EXPECT_THAT(floats_of(file, "repeated"), ElementsAre(1, 2, 3, 1, 2, 3));
  EXPECT_THAT(floats_of(file, "one"), ElementsAre(16));
  EXPECT_THAT(file.find("one")->shape, ElementsAre());
  EXPECT_THAT(file.find("empty")->shape, ElementsAre(0, 5));
  // Element (i, j, k) of the permuted one is element (j, k, i) of what was counted.
  EXPECT_THAT(floats_of(file, "permuted"), ElementsAre(1, 5, 9, 13, 17, 21, 2, 6, 10, 14, 18, 22, 3,
                                                       7, 11, 15, 19, 23, 4, 8, 12, 16, 20, 24));
  EXPECT_EQ(floats_of(file, "tied"), floats_of(file, "parameter"));
}

TEST(TensorConvert, KeepsTypesAndBytes) {
  const TempDir folder;
  const fs::path input = testing::fixture("io/data/every_type.pth");
  convert(input, folder / "x.safetensors");
  const auto before = open_tensor_file(input);
  const SafetensorsFile after(folder / "x.safetensors");
  for (const TensorEntry& tensor : before->tensors()) {
    const TensorEntry* same = after.find(tensor.name);
    ASSERT_NE(same, nullptr) << tensor.name;
    EXPECT_EQ(same->type, tensor.type);
    EXPECT_EQ(after.bytes(*same), before->bytes(tensor)) << tensor.name;
    EXPECT_EQ(same->offset % bytes_per_element(same->type), 0U) << tensor.name;
  }
  // Once more gives the same file.
  convert(folder / "x.safetensors", folder / "y.safetensors");
  EXPECT_EQ(read_file(folder / "x.safetensors"), read_file(folder / "y.safetensors"));
}

TEST(TensorConvert, RoundsFloatingPointNumbersOnRequest) {
  const TempDir folder;
  for (const TensorType type : {TensorType::kF32, TensorType::kF16, TensorType::kBF16}) {
    convert(testing::fixture("io/data/every_type.pth"), folder / "x.safetensors",
            {.float_type = type});
    const SafetensorsFile file(folder / "x.safetensors");
    for (const char* name : {"float32", "float16", "bfloat16", "float64"}) {
      EXPECT_EQ(file.find(name)->type, type) << name;
      // 1 to 6 are the same in all of them.
      EXPECT_EQ(file.bytes(*file.find(name)), file.bytes(*file.find("float32"))) << name;
    }
    EXPECT_EQ(file.find("int64")->type, TensorType::kI64);
    EXPECT_EQ(file.find("float8_e5m2")->type, TensorType::kF8E5M2);
    EXPECT_EQ(file.find("complex64")->type, TensorType::kC64);
    if (type == TensorType::kF32) {
      EXPECT_THAT(floats_of(file, "bfloat16"), ElementsAre(1, 2, 3, 4, 5, 6));
    }
  }
}

TEST(TensorConvert, TakesWhatLiesBelowAName) {
  const TempDir folder;
  const fs::path input = testing::fixture("io/data/training_protocol2.pth");
  const auto result = convert(input, folder / "x", {.below = "model"});
  EXPECT_EQ(result.num_tensors, 7U);
  const SafetensorsFile file(folder / "x");
  EXPECT_THAT(floats_of(file, "0.weight"), ElementsAre(1, 2, 3, 4, 5, 6));
  const Error error = error_of([&] { convert(input, folder / "y", {.below = "modle"}); });
  EXPECT_EQ(error.code, ErrorCode::kNotFound);
  EXPECT_EQ(error.message, "no tensor below 'modle'; there are those below model, optimizer");
  EXPECT_FALSE(fs::exists(folder / "y"));
}

TEST(TensorConvert, PutsShardsTogetherAndRefusesNamesThatAreThereTwice) {
  const TempDir folder;
  testing::write_safetensors(folder / "1.safetensors", {testing::stored_float32("b", {1}, {1})});
  testing::write_safetensors(folder / "2.safetensors", {testing::stored_float32("a", {1}, {2})});
  std::vector<std::unique_ptr<TensorFile>> files;
  files.push_back(open_tensor_file(folder / "1.safetensors"));
  files.push_back(open_tensor_file(folder / "2.safetensors"));
  write_safetensors(files, folder / "x", {});
  const SafetensorsFile file(folder / "x");
  EXPECT_THAT(floats_of(file, "a"), ElementsAre(2));
  EXPECT_THAT(floats_of(file, "b"), ElementsAre(1));
  files.push_back(open_tensor_file(folder / "2.safetensors"));
  const Error error = error_of([&] { write_safetensors(files, folder / "y", {}); });
  EXPECT_EQ(error.code, ErrorCode::kDataLoss);
  EXPECT_THAT(error.message, HasSubstr("tensor 'a' is in "));
}

TEST(TensorConvert, WritesTensorsOfManyPiecesAndTellsHowFarItIs) {
  const TempDir folder;
  // More than one piece of 4 MiB, its middle across a border; once as it lies, once transposed.
  constexpr std::int64_t kRows = 1500;
  constexpr std::int64_t kColumns = 1001;
  std::string numbers(kRows * kColumns * 4, '\0');
  for (std::uint32_t i = 0; i < kRows * kColumns; ++i) std::memcpy(&numbers[4 * i], &i, 4);
  const std::string storage = testing::pickled_storage("IntStorage", "0", kRows * kColumns);
  std::ofstream(folder / "x.pth", std::ios::binary) << testing::torch_zip(
      testing::pickled_dict(
          {{"w", testing::pickled_tensor(storage, 0, {kRows, kColumns}, {kColumns, 1})},
           {"t", testing::pickled_tensor(storage, 0, {kColumns, kRows}, {1, kColumns})}}),
      {{"0", numbers}});
  std::vector<std::uint64_t> steps;
  write_safetensors(open_tensor_files(folder / "x.pth"), folder / "x.safetensors", {},
                    [&](std::uint64_t done, std::uint64_t total) {
                      steps.push_back(done);
                      EXPECT_EQ(total, 2 * numbers.size());
                    });
  ASSERT_EQ(steps.size(), 4U);
  EXPECT_EQ(steps.back(), 2 * numbers.size());
  const SafetensorsFile file(folder / "x.safetensors");
  EXPECT_TRUE(file.bytes(*file.find("w")) == numbers);
  const std::string_view transposed = file.bytes(*file.find("t"));
  for (const std::int64_t row : {0, 7, 700, 1000}) {
    for (const std::int64_t column : {0, 1, 749, 1499}) {
      std::int32_t value = -1;
      std::memcpy(&value, transposed.data() + 4 * (row * kRows + column), 4);
      EXPECT_EQ(value, column * kColumns + row);
    }
  }
}

TEST(TensorConvert, StopsAndLeavesNothing) {
  const TempDir folder;
  std::stop_source source;
  source.request_stop();
  const Error error = error_of([&] {
    write_safetensors(open_tensor_files(testing::fixture("io/data/layouts.pth")), folder / "x", {},
                      {}, source.get_token());
  });
  EXPECT_EQ(error.code, ErrorCode::kCancelled);
  EXPECT_TRUE(fs::is_empty(folder.path()));
}

TEST(TensorConvert, RefusesFilesThatUnfoldWithoutEnd) {
  const TempDir folder;
  const std::string tensor =
      testing::pickled_tensor(testing::pickled_storage("ByteStorage", "0", 1), 0, {1 << 29}, {0});
  std::vector<std::pair<std::string, std::string>> members;
  for (const char* name : {"a", "b", "c"}) members.emplace_back(name, tensor);
  std::ofstream(folder / "x.pth", std::ios::binary)
      << testing::torch_zip(testing::pickled_dict(members), {{"0", "x"}});
  const Error error = error_of([&] { convert(folder / "x.pth", folder / "y"); });
  EXPECT_EQ(error.code, ErrorCode::kResourceExhausted);
  EXPECT_THAT(error.message, HasSubstr("would become 1610612736"));
}

}  // namespace
}  // namespace contra4::io
