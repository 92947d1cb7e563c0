#include "contra4/io/file.h"

#include <sys/resource.h>

#include <csignal>

#include <gtest/gtest.h>

#include "tests/support/test_env.h"

namespace contra4::io {
namespace {

TEST(File, ReadsWhatWasWrittenAndMakesFolders) {
  const testing::TempDir folder;
  const auto path = folder.path() / "a" / "b" / "c.txt";
  write_file_atomically(path, std::string("x\0y", 3));
  EXPECT_EQ(read_file(path), std::string("x\0y", 3));
}

TEST(File, CapsWhatItReads) {
  const testing::TempDir folder;
  write_file_atomically(folder / "ten", "0123456789");
  EXPECT_EQ(read_file(folder / "ten", 10), "0123456789");
  try {
    read_file(folder / "ten", 9);
    FAIL() << "no exception";
  } catch (const Exception& exception) {
    EXPECT_EQ(exception.code(), ErrorCode::kResourceExhausted);
  }
}

TEST(File, MissingFileIsNotFoundAndNamed) {
  try {
    read_file("/nonexistent/file.json");
    FAIL() << "no exception";
  } catch (const Exception& exception) {
    EXPECT_EQ(exception.code(), ErrorCode::kNotFound);
    EXPECT_NE(std::string(exception.what()).find("/nonexistent/file.json"), std::string::npos);
  }
}

TEST(File, WithoutCommitTheOldFileStaysAndNothingIsLeftBehind) {
  const testing::TempDir folder;
  write_file_atomically(folder / "x", "old");
  {
    AtomicFile file(folder / "x");
    file.write("new");
  }
  EXPECT_EQ(read_file(folder / "x"), "old");
  const auto entries = std::filesystem::directory_iterator(folder.path());
  EXPECT_EQ(std::distance(begin(entries), end(entries)), 1);
}

TEST(File, FullDiskKeepsTheOldFileAndSaysSo) {
  const testing::TempDir folder;
  write_file_atomically(folder / "x", "old");
  const rlimit small = {1024, RLIM_INFINITY};
  rlimit before{};
  ASSERT_EQ(getrlimit(RLIMIT_FSIZE, &before), 0);
  const auto handler = std::signal(SIGXFSZ, SIG_IGN);
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &small), 0);
  ErrorCode code = ErrorCode::kInternal;
  try {
    write_file_atomically(folder / "x", std::string(4096, 'n'));
  } catch (const Exception& exception) {
    code = exception.code();
  }
  setrlimit(RLIMIT_FSIZE, &before);
  std::signal(SIGXFSZ, handler);
  EXPECT_EQ(code, ErrorCode::kResourceExhausted);
  EXPECT_EQ(read_file(folder / "x"), "old");
}

TEST(File, LinkStaysAndItsTargetIsReplaced) {
  const testing::TempDir folder;
  write_file_atomically(folder / "target", "old");
  std::filesystem::create_symlink("target", folder / "link");
  write_file_atomically(folder / "link", "new");
  EXPECT_TRUE(std::filesystem::is_symlink(folder / "link"));
  EXPECT_EQ(read_file(folder / "target"), "new");
}

TEST(File, DeviceIsWrittenToAndNotReplaced) {
  const testing::TempDir folder;
  std::filesystem::create_symlink("/dev/full", folder / "full");
  std::filesystem::create_symlink("/dev/null", folder / "null");
  try {
    write_file_atomically(folder / "full", "x");
    FAIL() << "no exception";
  } catch (const Exception& exception) {
    EXPECT_EQ(exception.code(), ErrorCode::kResourceExhausted);
  }
  write_file_atomically(folder / "null", "x");
  EXPECT_TRUE(std::filesystem::is_character_file(folder / "full"));
  EXPECT_TRUE(std::filesystem::is_character_file(folder / "null"));
}

TEST(File, FolderIsNotReplaced) {
  const testing::TempDir folder;
  EXPECT_THROW(write_file_atomically(folder.path(), "x"), Exception);
}

TEST(File, MapsItsBytesAndAnEmptyFile) {
  const testing::TempDir folder;
  write_file_atomically(folder / "x", "mapped");
  write_file_atomically(folder / "empty", "");
  MappedFile file(folder / "x");
  EXPECT_EQ(file.bytes(), "mapped");
  const MappedFile moved = std::move(file);
  EXPECT_EQ(moved.bytes(), "mapped");
  EXPECT_EQ(MappedFile(folder / "empty").bytes(), "");
  EXPECT_THROW(MappedFile(folder.path()), Exception);
}

}  // namespace
}  // namespace contra4::io
