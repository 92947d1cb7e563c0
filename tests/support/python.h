// Python with PyTorch, for files that it has to read.
#pragma once

#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace contra4::testing {

// Whether the build has one: that of the folder from which libtorch comes.
bool has_python();
// What a script prints, warnings aside. Fails the test with its words when it ends with an error.
std::string python_output(const std::string& script, const std::vector<std::string>& arguments);

}  // namespace contra4::testing

#define CONTRA4_REQUIRE_PYTHON()                                                 \
  do {                                                                           \
    if (!::contra4::testing::has_python())                                       \
      GTEST_SKIP() << "needs Python's torch: configure with CONTRA4_WITH_TORCH"; \
  } while (false)
