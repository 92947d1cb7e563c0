#include "contra4/io/small_floats.h"

#include <bit>
#include <cmath>
#include <limits>

#include <gtest/gtest.h>

namespace contra4::io {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();

TEST(SmallFloats, ReadsHalves) {
  EXPECT_EQ(half_to_float(0x3C00), 1.F);
  EXPECT_EQ(half_to_float(0xC000), -2.F);
  EXPECT_EQ(half_to_float(0x7BFF), 65504.F);
  EXPECT_EQ(half_to_float(0x0001), 0x1p-24F);
  EXPECT_EQ(half_to_float(0x83FF), -0x3FFp-24F);
  EXPECT_EQ(half_to_float(0x0400), 0x1p-14F);
  EXPECT_EQ(half_to_float(0x7C00), kInfinity);
  EXPECT_TRUE(std::isnan(half_to_float(0xFE01)));
  EXPECT_TRUE(std::signbit(half_to_float(0x8000)));
}

TEST(SmallFloats, EveryHalfSurvivesTheWayThereAndBack) {
  for (std::uint32_t bits = 0; bits < 0x10000; ++bits) {
    const auto half = static_cast<std::uint16_t>(bits);
    const float value = half_to_float(half);
    if (std::isnan(value)) {
      EXPECT_TRUE(std::isnan(half_to_float(float_to_half(value)))) << bits;
    } else {
      EXPECT_EQ(float_to_half(value), half) << bits;
    }
    const float wide = bfloat16_to_float(half);
    if (std::isnan(wide)) {
      EXPECT_TRUE(std::isnan(bfloat16_to_float(float_to_bfloat16(wide)))) << bits;
    } else {
      EXPECT_EQ(float_to_bfloat16(wide), half) << bits;
    }
  }
}

TEST(SmallFloats, RoundsToTheNearestAndTiesToEven) {
  // Between two neighbours: below, at and above the middle.
  for (std::uint32_t bits = 0; bits < 0x7BFF; ++bits) {
    const auto low = static_cast<std::uint16_t>(bits);
    const auto high = static_cast<std::uint16_t>(bits + 1);
    const double middle = (static_cast<double>(half_to_float(low)) + half_to_float(high)) / 2;
    const auto exact = static_cast<float>(middle);
    EXPECT_EQ(float_to_half(std::nextafter(exact, 0.F)), low) << bits;
    EXPECT_EQ(float_to_half(exact), bits % 2 == 0 ? low : high) << bits;
    EXPECT_EQ(float_to_half(std::nextafter(exact, kInfinity)), high) << bits;
  }
  EXPECT_EQ(float_to_half(65519.F), 0x7BFF);
  EXPECT_EQ(float_to_half(65520.F), 0x7C00);
  EXPECT_EQ(float_to_half(-1e30F), 0xFC00);
  EXPECT_EQ(float_to_half(-1e-30F), 0x8000);
  EXPECT_EQ(float_to_half(std::bit_cast<float>(1U)), 0);

  EXPECT_EQ(float_to_bfloat16(std::bit_cast<float>(0x3F808000U)), 0x3F80);
  EXPECT_EQ(float_to_bfloat16(std::bit_cast<float>(0x3F818000U)), 0x3F82);
  EXPECT_EQ(float_to_bfloat16(std::bit_cast<float>(0x3F808001U)), 0x3F81);
  EXPECT_EQ(float_to_bfloat16(std::numeric_limits<float>::max()), 0x7F80);
}

TEST(SmallFloats, KeepsInfinitiesAndNan) {
  EXPECT_EQ(float_to_half(-kInfinity), 0xFC00);
  EXPECT_EQ(float_to_bfloat16(kInfinity), 0x7F80);
  const auto late_nan = std::bit_cast<float>(0x7F800001U);  // its only bit is cut off
  EXPECT_TRUE(std::isnan(half_to_float(float_to_half(late_nan))));
  EXPECT_TRUE(std::isnan(bfloat16_to_float(float_to_bfloat16(late_nan))));
}

}  // namespace
}  // namespace contra4::io
