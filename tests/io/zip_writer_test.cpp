#include "contra4/io/zip_writer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "contra4/io/file.h"
#include "contra4/io/zip_archive.h"
#include "tests/support/error_of.h"
#include "tests/support/python.h"
#include "tests/support/test_env.h"

namespace contra4::io {
namespace {

namespace fs = std::filesystem;
using testing::error_of;
using testing::TempDir;

// Of every size around the alignment, and none.
std::vector<std::string> members() {
  std::vector<std::string> bytes = {"", "x"};
  for (std::size_t size = 60; size < 70; ++size) bytes.emplace_back(size, 'b');
  bytes.emplace_back(3'000'000, '\xEE');
  return bytes;
}

fs::path write(const fs::path& path, std::uint64_t zip64_from = ZipWriter::kZip64From) {
  ZipWriter zip(path, zip64_from);
  int place = 0;
  for (const std::string& bytes : members()) {
    zip.begin_member("folder/" + std::to_string(place++) + " \xC3\xA9", bytes.size());
    zip.write(std::string_view(bytes).substr(0, bytes.size() / 3));
    zip.write(std::string_view(bytes).substr(bytes.size() / 3));
  }
  zip.commit();
  return path;
}

void expect_whole(const std::string& file) {
  const ZipArchive archive = ZipArchive::parse(file, "it").value();
  ASSERT_EQ(archive.members().size(), members().size());
  for (std::size_t i = 0; i < members().size(); ++i) {
    const ZipMember& member = archive.members()[i];
    EXPECT_EQ(member.name, "folder/" + std::to_string(i) + " \xC3\xA9");
    EXPECT_EQ(member.offset % 64, 0U);
    // read() compares with the checksum.
    EXPECT_EQ(archive.read(member, 1U << 30).value(), members()[i]);
  }
}

TEST(ZipWriter, WritesWhatTheReaderReads) {
  const TempDir folder;
  expect_whole(read_file(write(folder / "deep/a.zip")));
}

TEST(ZipWriter, TheNumbersOfZip64AreReadAlike) {
  const TempDir folder;
  // From 64: small members in places beyond it, large ones, and a directory beyond it.
  for (const std::uint64_t from : {1U, 64U, 1000U, 2'000'000U}) {
    const std::string file = read_file(write(folder / "a.zip", from));
    expect_whole(file);
    EXPECT_NE(file.find(std::string("\x01\x00\x10\x00", 4)), std::string::npos) << from;
  }
}

TEST(ZipWriter, TheSameMembersGiveTheSameFile) {
  const TempDir folder;
  EXPECT_EQ(read_file(write(folder / "a.zip")), read_file(write(folder / "other name.zip")));
}

TEST(ZipWriter, PythonFindsNothingWrong) {
  CONTRA4_REQUIRE_PYTHON();
  const TempDir folder;
  for (const std::uint64_t from : {ZipWriter::kZip64From, std::uint64_t{64}}) {
    EXPECT_EQ(testing::python_output(
                  "import sys, zipfile\n"
                  "z = zipfile.ZipFile(sys.argv[1])\n"
                  "print(z.testzip(), [i.file_size for i in z.infolist()], z.namelist()[0])\n",
                  {write(folder / "a.zip", from).string()}),
              "None [0, 1, 60, 61, 62, 63, 64, 65, 66, 67, 68, 69, 3000000] folder/0 \xC3\xA9\n");
  }
}

TEST(ZipWriter, LeavesNothingBehindWithoutCommitAndKnowsItsSizes) {
  const TempDir folder;
  {
    ZipWriter zip(folder / "a.zip");
    zip.begin_member("a", 2);
    EXPECT_EQ(error_of([&] { zip.write("123"); }).code, ErrorCode::kInternal);
    zip.write("1");
    EXPECT_EQ(error_of([&] { zip.begin_member("b", 0); }).code, ErrorCode::kInternal);
    EXPECT_EQ(error_of([&] { zip.commit(); }).code, ErrorCode::kInternal);
  }
  EXPECT_TRUE(fs::is_empty(folder.path()));
}

}  // namespace
}  // namespace contra4::io
