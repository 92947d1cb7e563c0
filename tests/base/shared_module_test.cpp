#include "contra4/base/shared_module.h"

#include <filesystem>
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/error_of.h"

namespace contra4 {
namespace {

using testing::error_of;
using ::testing::HasSubstr;

// What opens is shown by the tests of inference and data, which have modules.

TEST(SharedModule, AMissingOneNamesFileAndOption) {
  const Error error =
      error_of([] { open_module_symbol("contra4_no_such_module", "entry", "CONTRA4_WITH_X"); });
  EXPECT_EQ(error.code, ErrorCode::kUnimplemented);
  EXPECT_THAT(error.message, HasSubstr("libcontra4_no_such_module.so"));
  EXPECT_THAT(error.message, HasSubstr("-DCONTRA4_WITH_X=ON"));
}

TEST(SharedModule, AFileThatIsNoneSaysWhy) {
  const std::filesystem::path file =
      std::filesystem::read_symlink("/proc/self/exe").parent_path() / "libcontra4_no_library.so";
  std::ofstream(file) << "words";
  const Error error =
      error_of([] { open_module_symbol("contra4_no_library", "entry", "CONTRA4_WITH_X"); });
  std::filesystem::remove(file);
  EXPECT_EQ(error.code, ErrorCode::kInternal);
  EXPECT_THAT(error.message, HasSubstr(file.string()));
  EXPECT_THAT(error.message, HasSubstr("make build"));
}

}  // namespace
}  // namespace contra4
