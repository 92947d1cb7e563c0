#include "contra4/base/shard.h"

#include <string>
#include <utility>

#include <gtest/gtest.h>

namespace contra4 {
namespace {

TEST(Shard, IsReadAndWritten) {
  EXPECT_EQ(parse_shard("2/8").value(), (Shard{2, 8}));
  EXPECT_EQ(to_string(Shard{2, 8}), "2/8");
  for (const char* text : {"", "2", "0/8", "9/8", "-1/8", "1/0", "a/b", "1/2x", "1/2/3", " 1/2",
                           "99999999999999999999/1", "1/99999999999999999999"}) {
    const auto shard = parse_shard(text);
    ASSERT_FALSE(shard) << text;
    EXPECT_EQ(shard.error().code, ErrorCode::kInvalidArgument);
  }
}

TEST(Shard, RangesFollowEachOtherAndAreTheWhole) {
  for (const std::size_t total : {0U, 1U, 5U, 7U, 100U}) {
    for (const int count : {1, 3, 7, 11}) {
      std::size_t end = 0;
      for (int index = 1; index <= count; ++index) {
        const auto [first, last] = Shard{index, count}.range(total);
        EXPECT_EQ(first, end);
        EXPECT_LE(last - first, total / count + 1);
        EXPECT_GE(last - first, total / count);
        end = last;
      }
      EXPECT_EQ(end, total);
    }
  }
}

}  // namespace
}  // namespace contra4
