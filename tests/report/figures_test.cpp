#include "contra4/report/figures.h"

#include <gtest/gtest.h>

namespace contra4::report {
namespace {

TEST(Figures, Counts) {
  EXPECT_EQ(with_thousands(0), "0");
  EXPECT_EQ(with_thousands(999), "999");
  EXPECT_EQ(with_thousands(2335), "2,335");
  EXPECT_EQ(with_thousands(1234567), "1,234,567");
  EXPECT_EQ(with_thousands(-12345), "-12,345");
  EXPECT_EQ(count_text(1299), "1,299");
  EXPECT_EQ(count_text(853.25), "853.2");
}

TEST(Figures, SharesAndPoints) {
  EXPECT_EQ(percent(.67066), "67.1");
  EXPECT_EQ(points(.01039), "1.04");
  EXPECT_EQ(signed_points(.1143), "+11.4");
  EXPECT_EQ(signed_points(-.1143), "-11.4");
  EXPECT_EQ(signed_points(-1e-9), "0.0");
}

TEST(Figures, Intervals) {
  scoring::Accuracy accuracy;
  EXPECT_EQ(interval(accuracy), "\u2013");
  EXPECT_EQ(accuracy_text(accuracy), "\u2013");
  accuracy.total = 10;
  accuracy.accuracy = .5;
  accuracy.ci95_low = .25;
  accuracy.ci95_high = .75;
  EXPECT_EQ(interval(accuracy), "25.0\u201375.0");
  scoring::PairedDifference difference;
  difference.ci95_low = -.01;
  difference.ci95_high = .125;
  EXPECT_EQ(signed_interval(difference), "[-1.0, +12.5]");
}

TEST(Figures, PValues) {
  EXPECT_EQ(p_value(1), "1.000");
  EXPECT_EQ(p_value(.0336), "0.034");
  EXPECT_EQ(p_value(1e-30), "<0.001");
}

}  // namespace
}  // namespace contra4::report
