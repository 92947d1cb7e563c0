#include "contra4/io/temporary_file.h"

#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "contra4/io/descriptor.h"
#include "contra4/io/file.h"
#include "tests/support/test_env.h"

namespace contra4::io {
namespace {

using contra4::testing::TempDir;

TEST(TemporaryFile, StandsBesideTheFileItWillBe) {
  const TempDir folder;
  std::filesystem::path temporary;
  const Descriptor descriptor(create_temporary(folder / "a.json", temporary));
  ASSERT_GE(descriptor.get(), 0);
  EXPECT_EQ(temporary.parent_path(), folder.path());
  EXPECT_TRUE(temporary.filename().string().starts_with("a.json.tmp-"));
  EXPECT_TRUE(std::filesystem::exists(temporary));
}

TEST(TemporaryFile, RemovesWhatAKilledProcessLeftAndNothingElse) {
  const TempDir folder;
  for (const char* name : {"a.json.tmp-AbCdEf", "b.json.tmp-AbCdEf", "a.json.tmp-AbCdEfG",
                           "a.json.tmp-", "a.json", "xa.json.tmp-AbCdEf"}) {
    write_file_atomically(folder / name, "x");
  }
  std::filesystem::create_directory(folder / "a.json.tmp-folder");
  std::filesystem::path temporary;
  const Descriptor descriptor(create_temporary(folder / "a.json", temporary));
  EXPECT_FALSE(std::filesystem::exists(folder / "a.json.tmp-AbCdEf"));
  for (const char* name : {"b.json.tmp-AbCdEf", "a.json.tmp-AbCdEfG", "a.json.tmp-", "a.json",
                           "xa.json.tmp-AbCdEf", "a.json.tmp-folder"}) {
    EXPECT_TRUE(std::filesystem::exists(folder / name)) << name;
  }
}

TEST(TemporaryFile, LeavesOneThatIsBeingWritten) {
  const TempDir folder;
  std::filesystem::path first;
  std::filesystem::path second;
  const Descriptor writing(create_temporary(folder / "a.json", first));
  const Descriptor other(create_temporary(folder / "a.json", second));
  EXPECT_NE(first, second);
  EXPECT_TRUE(std::filesystem::exists(first));
  EXPECT_TRUE(std::filesystem::exists(second));
}

TEST(TemporaryFile, LeavesOneThatIsJustBeingMade) {
  // Each looks for orphans while others stand between creating theirs and locking it.
  const TempDir folder;
  std::vector<std::jthread> threads;
  for (int i = 0; i < 6; ++i) {
    threads.emplace_back([&folder] {
      for (int round = 0; round < 200; ++round) {
        std::filesystem::path temporary;
        const Descriptor descriptor(create_temporary(folder / "a.json", temporary));
        ASSERT_GE(descriptor.get(), 0);
        ASSERT_EQ(::unlink(temporary.c_str()), 0) << "somebody removed it";
      }
    });
  }
}

TEST(TemporaryFile, SaysWhyItCannotBeCreated) {
  const TempDir folder;
  std::filesystem::path temporary;
  EXPECT_EQ(create_temporary(folder / "none" / "a.json", temporary), -1);
  EXPECT_EQ(errno, ENOENT);
}

}  // namespace
}  // namespace contra4::io
