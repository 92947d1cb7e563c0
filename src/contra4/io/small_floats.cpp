#include "contra4/io/small_floats.h"

#include <bit>
#include <cmath>

namespace contra4::io {

namespace {

constexpr std::uint32_t kHalfSign = 0x8000;
constexpr std::uint32_t kHalfInfinity = 0x7C00;
constexpr std::uint32_t kQuietNan = 0x7E00;  // of half precision

// value >> shift (at most 31), rounded to nearest, ties to even.
std::uint32_t rounded_shift(std::uint32_t value, std::uint32_t shift) {
  const std::uint32_t kept = value >> shift;
  const std::uint32_t rest = value & ((1U << shift) - 1);
  const std::uint32_t half = 1U << (shift - 1);
  return rest > half || (rest == half && (kept & 1U) != 0) ? kept + 1 : kept;
}

}  // namespace

float half_to_float(std::uint16_t bits) {
  const std::uint32_t sign = (bits & kHalfSign) << 16;
  const std::uint32_t exponent = (bits >> 10) & 0x1FU;
  const std::uint32_t fraction = bits & 0x3FFU;
  if (exponent == 0) {  // zero or subnormal: fraction * 2^-24
    const float magnitude = std::ldexp(static_cast<float>(fraction), -24);
    return sign != 0 ? -magnitude : magnitude;
  }
  if (exponent == 0x1F) return std::bit_cast<float>(sign | 0x7F800000U | (fraction << 13));
  return std::bit_cast<float>(sign | ((exponent + 112) << 23) | (fraction << 13));
}

float bfloat16_to_float(std::uint16_t bits) {
  return std::bit_cast<float>(static_cast<std::uint32_t>(bits) << 16);
}

std::uint16_t float_to_half(float value) {
  const auto bits = std::bit_cast<std::uint32_t>(value);
  const std::uint32_t sign = (bits >> 16) & kHalfSign;
  const std::uint32_t exponent = (bits >> 23) & 0xFFU;
  const std::uint32_t fraction = bits & 0x7FFFFFU;
  if (exponent == 0xFF) {
    return static_cast<std::uint16_t>(sign | (fraction != 0 ? kQuietNan : kHalfInfinity));
  }
  // A carry out of the fraction goes into the exponent, and from 65520 on into infinity.
  if (exponent > 142) return static_cast<std::uint16_t>(sign | kHalfInfinity);
  if (exponent >= 113) {
    return static_cast<std::uint16_t>(sign |
                                      rounded_shift(((exponent - 112) << 23) | fraction, 13));
  }
  if (exponent < 102) return static_cast<std::uint16_t>(sign);  // below half the smallest
  return static_cast<std::uint16_t>(sign | rounded_shift(fraction | 0x800000U, 126 - exponent));
}

std::uint16_t float_to_bfloat16(float value) {
  const auto bits = std::bit_cast<std::uint32_t>(value);
  if (std::isnan(value)) return static_cast<std::uint16_t>((bits >> 16) | 0x40U);
  return static_cast<std::uint16_t>(rounded_shift(bits, 16));
}

}  // namespace contra4::io
