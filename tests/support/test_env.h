// What tests share: the project's own data, the optional shared folder, temporary folders.
#pragma once

#include <filesystem>
#include <string>

#include <gtest/gtest.h>

namespace contra4::testing {

// data/mini of the source tree.
std::filesystem::path mini_dir();
// A small file beside a test: tests/<room>/<name>.
std::filesystem::path fixture(const std::string& room_and_name);
// The folder given to CMake as CONTRA4_SHARED; empty when none was given.
std::filesystem::path shared_dir();

// Uncompressed bytes of a .gz file.
std::string read_gz(const std::filesystem::path& path);

// A folder that is there while the object lives.
class TempDir {
 public:
  TempDir();
  ~TempDir();
  TempDir(const TempDir&) = delete;
  TempDir& operator=(const TempDir&) = delete;
  const std::filesystem::path& path() const { return path_; }
  std::filesystem::path operator/(const std::string& name) const { return path_ / name; }

 private:
  std::filesystem::path path_;
};

}  // namespace contra4::testing

// Skips where no shared folder was given. Where one was given, a missing file in it is a failure of
// the test that opens it, never a skip.
#define CONTRA4_REQUIRE_SHARED()                                                      \
  do {                                                                                \
    if (::contra4::testing::shared_dir().empty())                                     \
      GTEST_SKIP() << "needs the shared folder: configure with -DCONTRA4_SHARED=DIR"; \
  } while (false)
