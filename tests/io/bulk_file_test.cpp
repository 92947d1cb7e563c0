#include "contra4/io/bulk_file.h"

#include <filesystem>
#include <iterator>
#include <string>

#include <gtest/gtest.h>

#include "contra4/base/error.h"
#include "contra4/io/file.h"
#include "tests/support/error_of.h"
#include "tests/support/test_env.h"

namespace contra4::io {
namespace {

using contra4::testing::error_of;
using contra4::testing::TempDir;

std::ptrdiff_t num_files(const std::filesystem::path& folder) {
  return std::distance(std::filesystem::directory_iterator(folder), {});
}

TEST(BulkFile, AppearsWithItsWholeContentOnly) {
  const TempDir folder;
  const std::string block(300'000, 'x');
  for (const Durability durability : {Durability::kSynced, Durability::kUnsynced}) {
    const auto path = folder / "below" / std::to_string(static_cast<int>(durability));
    BulkFile file(path, durability);
    for (int i = 0; i < 40; ++i) file.write(block);
    EXPECT_FALSE(std::filesystem::exists(path));
    file.commit();
    EXPECT_EQ(std::filesystem::file_size(path), 40 * block.size());
  }
  EXPECT_EQ(num_files(folder / "below"), 2);
}

TEST(BulkFile, ReplacesAnOldFileAtTheEnd) {
  const TempDir folder;
  write_file_atomically(folder / "a", "old");
  BulkFile file(folder / "a", Durability::kSynced);
  file.write("new");
  EXPECT_EQ(read_file(folder / "a"), "old");
  file.commit();
  EXPECT_EQ(read_file(folder / "a"), "new");
}

TEST(BulkFile, LeavesNothingBehindWithoutCommit) {
  const TempDir folder;
  {
    BulkFile file(folder / "a", Durability::kSynced);
    file.write("text");
  }
  EXPECT_EQ(num_files(folder.path()), 0);
}

TEST(BulkFile, SaysWhichFileCannotBeMade) {
  const TempDir folder;
  write_file_atomically(folder / "file", "x");
  const Error error =
      error_of([&] { const BulkFile file(folder / "file" / "below", Durability::kSynced); });
  EXPECT_NE(error.message.find("file"), std::string::npos);
}

}  // namespace
}  // namespace contra4::io
