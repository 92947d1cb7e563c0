// Floating-point numbers of two bytes: IEEE half precision and bfloat16, from and to float32.
#pragma once

#include <cstdint>

namespace contra4::io {

// Exact, subnormal numbers, infinities and NaN included.
float half_to_float(std::uint16_t bits);
float bfloat16_to_float(std::uint16_t bits);

// The nearest number, of two equally near ones the even one; too large becomes infinity, NaN stays
// NaN.
std::uint16_t float_to_half(float value);
std::uint16_t float_to_bfloat16(float value);

}  // namespace contra4::io
