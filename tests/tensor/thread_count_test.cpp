#include "contra4/tensor/thread_count.h"

#include <thread>

#include <ATen/Parallel.h>
#include <gtest/gtest.h>

#include "contra4/base/error.h"

namespace contra4::tensor {
namespace {

TEST(ThreadCount, ZeroIsAllCores) {
  EXPECT_EQ(resolve_num_threads(0), static_cast<int>(std::thread::hardware_concurrency()));
  EXPECT_EQ(resolve_num_threads(3), 3);
}

TEST(ThreadCount, RejectsWhatIsNoCount) {
  for (const int count : {-1, 1025}) {
    try {
      resolve_num_threads(count);
      FAIL() << "no exception";
    } catch (const Exception& exception) {
      EXPECT_EQ(exception.code(), ErrorCode::kInvalidArgument);
    }
  }
}

TEST(OpThreads, SetsAndRestores) {
  const int before = at::get_num_threads();
  {
    const OpThreads one(1);
    EXPECT_EQ(at::get_num_threads(), 1);
    const OpThreads three(3);
    EXPECT_EQ(at::get_num_threads(), 3);
  }
  EXPECT_EQ(at::get_num_threads(), before);
}

}  // namespace
}  // namespace contra4::tensor
