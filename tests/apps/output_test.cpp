#include "contra4/apps/output.h"

#include <gtest/gtest.h>

namespace contra4::apps {
namespace {

TEST(Grouped, PutsCommas) {
  EXPECT_EQ(grouped(0), "0");
  EXPECT_EQ(grouped(999), "999");
  EXPECT_EQ(grouped(2335), "2,335");
  EXPECT_EQ(grouped(1000000), "1,000,000");
  EXPECT_EQ(grouped(-123), "-123");
  EXPECT_EQ(grouped(-1234), "-1,234");
}

TEST(Counted, OneHasNoS) {
  EXPECT_EQ(counted(1, "row"), "1 row");
  EXPECT_EQ(counted(2335, "row"), "2,335 rows");
}

TEST(DurationText, HasHoursWhereNeeded) {
  EXPECT_EQ(duration_text(9), "0:09");
  EXPECT_EQ(duration_text(7500), "2:05:00");
  EXPECT_EQ(duration_text(-1), "0:00");
}

}  // namespace
}  // namespace contra4::apps
