#include "contra4/io/safetensors_writer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "contra4/io/file.h"
#include "contra4/io/safetensors.h"
#include "tests/support/error_of.h"
#include "tests/support/test_env.h"

namespace contra4::io {
namespace {

namespace fs = std::filesystem;
using testing::error_of;
using ::testing::HasSubstr;
using testing::TempDir;

TEST(SafetensorsWriter, WritesWhatTheReaderReads) {
  const TempDir folder;
  const fs::path path = folder / "deep/x.safetensors";
  {
    SafetensorsWriter writer(
        path,
        {{.name = "bytes", .type = TensorType::kU8, .shape = {3}},
         {.name = "b \"quoted\" \xC3\xA9", .type = TensorType::kF32, .shape = {2}},
         {.name = "none", .type = TensorType::kF16, .shape = {0, 4}},
         {.name = "a", .type = TensorType::kF32, .shape = {}},
         {.name = "wide", .type = TensorType::kI64, .shape = {1, 1}}},
        {{"format", "pt"}});
    // Types of more bytes first, then names.
    ASSERT_EQ(writer.tensors().size(), 5U);
    EXPECT_EQ(writer.tensors()[0].name, "wide");
    EXPECT_EQ(writer.tensors()[1].name, "a");
    EXPECT_EQ(writer.tensors()[4].name, "bytes");
    EXPECT_EQ(writer.num_bytes(), 23U);
    writer.write("wwwwwwwwaa");
    writer.write("aabbbbBBBBxyz");
    EXPECT_FALSE(fs::exists(path));
    writer.commit();
  }
  const SafetensorsFile file(path);
  EXPECT_EQ(file.bytes(*file.find("a")), "aaaa");
  EXPECT_EQ(file.bytes(*file.find("b \"quoted\" \xC3\xA9")), "bbbbBBBB");
  EXPECT_EQ(file.bytes(*file.find("bytes")), "xyz");
  EXPECT_EQ(file.find("none")->shape, (std::vector<std::int64_t>{0, 4}));
  EXPECT_EQ(file.find("wide")->offset % 64, 0U);
  ASSERT_EQ(file.metadata().size(), 1U);
  EXPECT_EQ(file.metadata()[0], (std::pair<std::string, std::string>("format", "pt")));
}

TEST(SafetensorsWriter, KeepsTheGivenOrderAmongTypesOfOneSize) {
  const TempDir folder;
  SafetensorsWriter writer(folder / "x",
                           {{.name = "z", .type = TensorType::kBF16, .shape = {1}},
                            {.name = "wide", .type = TensorType::kF64, .shape = {1}},
                            {.name = "a", .type = TensorType::kF16, .shape = {1}}},
                           {}, TensorOrder::kAsGiven);
  EXPECT_EQ(writer.tensors()[0].name, "wide");
  EXPECT_EQ(writer.tensors()[1].name, "z");
  EXPECT_EQ(writer.tensors()[2].name, "a");
  writer.write("wwwwwwwwzzaa");
  writer.commit();
  const SafetensorsFile file(folder / "x");
  EXPECT_EQ(file.bytes(*file.find("z")), "zz");
  EXPECT_EQ(file.bytes(*file.find("a")), "aa");
}

TEST(SafetensorsWriter, LeavesNothingBehindWithoutCommit) {
  const TempDir folder;
  {
    SafetensorsWriter writer(folder / "x", {{.name = "a", .type = TensorType::kU8, .shape = {2}}},
                             {});
    writer.write("1");
    EXPECT_EQ(error_of([&] { writer.commit(); }).code, ErrorCode::kInternal);
    EXPECT_EQ(error_of([&] { writer.write("234"); }).code, ErrorCode::kInternal);
  }
  EXPECT_TRUE(fs::is_empty(folder.path()));
}

TEST(SafetensorsWriter, RefusesNamesThatTheFormatLacks) {
  const TempDir folder;
  for (const char* name : {"__metadata__", "a\xff"}) {
    const Error error = error_of(
        [&] { const SafetensorsWriter writer(folder / "x", {{.name = name, .shape = {1}}}, {}); });
    EXPECT_EQ(error.code, ErrorCode::kInvalidArgument);
    EXPECT_THAT(error.message, HasSubstr("no tensor named"));
  }
  std::vector<TensorPlan> many;
  for (int i = 0; i < 5000; ++i) {
    many.push_back({.name = std::to_string(i) + std::string(900, 'n'), .shape = {1}});
  }
  EXPECT_EQ(error_of([&] { const SafetensorsWriter writer(folder / "x", many, {}); }).code,
            ErrorCode::kResourceExhausted);
}

TEST(SafetensorsWriter, WritesBehindALinkAndOverNoDevice) {
  const TempDir folder;
  write_file_atomically(folder / "target", "old");
  fs::create_symlink(folder / "target", folder / "link");
  SafetensorsWriter(folder / "link", {}, {}).commit();
  EXPECT_TRUE(fs::is_symlink(folder / "link"));
  EXPECT_TRUE(SafetensorsFile(folder / "target").tensors().empty());
  const Error device = error_of([] { const SafetensorsWriter writer("/dev/null", {}, {}); });
  EXPECT_EQ(device.code, ErrorCode::kInvalidArgument);
  EXPECT_TRUE(fs::is_character_file("/dev/null"));
}

}  // namespace
}  // namespace contra4::io
