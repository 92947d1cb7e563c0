#include "contra4/scoring/msnr.h"

#include <gtest/gtest.h>

namespace contra4::scoring {
namespace {

NamedAccuracy cell(const std::string& name, double accuracy, std::int64_t total = 10) {
  NamedAccuracy result;
  result.name = name;
  result.accuracy.accuracy = accuracy;
  result.accuracy.total = total;
  return result;
}

TEST(Msnr, IsTheGainOverTheMeanOfBothNoises) {
  EXPECT_DOUBLE_EQ(*msnr(.6, .2, .4), 1);
  EXPECT_NEAR(*msnr(.3, .2, .4), 0, 1e-12);
  EXPECT_EQ(msnr(.6, 0, 0), std::nullopt);
}

TEST(Msnr, MatchesCellsByName) {
  const std::vector<NamedAccuracy> run = {cell("all", .6), cell("mc_2", .5), cell("mc_3", 0, 0)};
  const std::vector<NamedAccuracy> none = {cell("mc_3", .2), cell("all", .2)};
  const std::vector<NamedAccuracy> random = {cell("all", .4), cell("mc_2", .4), cell("mc_3", .1)};
  const auto result = cell_msnr(run, none, random);
  ASSERT_EQ(result.size(), 3U);
  EXPECT_DOUBLE_EQ(*result[0].msnr, 1);
  EXPECT_EQ(result[1].msnr, std::nullopt);
  EXPECT_EQ(result[2].name, "mc_3");
  EXPECT_EQ(result[2].msnr, std::nullopt);
}

}  // namespace
}  // namespace contra4::scoring
