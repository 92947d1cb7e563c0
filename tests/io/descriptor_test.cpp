#include "contra4/io/descriptor.h"

#include <fcntl.h>

#include <cerrno>

#include <gtest/gtest.h>

namespace contra4::io {
namespace {

TEST(Descriptor, ClosesWhatItOwnsOnce) {
  int value = -1;
  {
    const Descriptor descriptor(::open("/dev/null", O_RDONLY | O_CLOEXEC));
    value = descriptor.get();
    ASSERT_GE(value, 0);
    EXPECT_NE(::fcntl(value, F_GETFD), -1);
  }
  EXPECT_EQ(::fcntl(value, F_GETFD), -1);
  EXPECT_EQ(errno, EBADF);
}

TEST(Descriptor, OfAFailedOpenLeavesErrnoAlone) {
  {
    const Descriptor descriptor(::open("/nonexistent/file", O_RDONLY | O_CLOEXEC));
    EXPECT_LT(descriptor.get(), 0);
  }
  EXPECT_EQ(errno, ENOENT);
}

}  // namespace
}  // namespace contra4::io
