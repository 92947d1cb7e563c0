// Arrays of numpy: .npy files and the members of .npz files.
// Source: numpy.lib.format, versions 1.0 to 3.0.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "contra4/base/error.h"
#include "contra4/io/tensor_type.h"

namespace contra4::io {

struct NpyArray {
  TensorType type = TensorType::kF32;
  std::vector<std::int64_t> shape;  // empty: one element
  std::string bytes;                // little-endian, row-major, whatever the file had

  std::int64_t num_elements() const;
  // Every element as float32 or float64, rounded to the nearest where it does not fit. Throws
  // kUnimplemented for complex numbers and those of one byte with a point (F8_*).
  std::vector<float> to_float32() const;
  std::vector<double> to_float64() const;
};

inline constexpr std::uint64_t kMaxArrayBytes = 1ULL << 30;

// bool, integers and floating point numbers of 2, 4 and 8 bytes, of either byte order, in C or
// Fortran order. kDataLoss for what is cut or no array; kUnimplemented for objects, texts and
// structures, which are never unpickled; kResourceExhausted above `max_bytes`. Memory follows the
// bytes that are there, not the shape that the header claims.
Result<NpyArray> parse_npy(std::string_view file, std::string_view what,
                           std::uint64_t max_bytes = kMaxArrayBytes);

// The arrays of an npz, without ".npy", in the order of the file.
Result<std::vector<std::string>> npz_names(std::string_view file, std::string_view what);
// A member by its name without ".npy"; kNotFound with the nearest of the names there are.
Result<NpyArray> read_npz(std::string_view file, std::string_view member, std::string_view what,
                          std::uint64_t max_bytes = kMaxArrayBytes);

// A row-major array as .npy bytes, version 1.0. Throws kUnimplemented for types that numpy lacks.
std::string write_npy(const NpyArray& array);

}  // namespace contra4::io
