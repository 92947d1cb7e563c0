#include "tests/support/npy.h"

#include <cstring>
#include <fstream>
#include <iterator>
#include <regex>
#include <stdexcept>
#include <string>

namespace contra4::testing {

FloatMatrix read_npy(const std::filesystem::path& path) {
  std::ifstream stream(path, std::ios::binary);
  const std::string bytes{std::istreambuf_iterator<char>(stream), std::istreambuf_iterator<char>()};
  const auto require = [&](bool condition, const char* what) {
    if (!condition) throw std::runtime_error(path.string() + ": " + what);
  };
  constexpr std::size_t kPreamble = 10;  // magic, version, length of the header
  require(bytes.size() >= kPreamble && bytes.starts_with("\x93NUMPY\x01"), "no npy version 1");
  const auto byte = [&](std::size_t at) { return static_cast<unsigned char>(bytes[at]); };
  const std::size_t header_bytes = byte(8) + 256U * byte(9);
  require(bytes.size() >= kPreamble + header_bytes, "cut");
  const std::string header = bytes.substr(kPreamble, header_bytes);
  require(header.find("'<f4'") != std::string::npos, "no float32");
  require(header.find("'fortran_order': False") != std::string::npos, "not in C order");
  std::smatch match;
  require(std::regex_search(header, match, std::regex(R"('shape': \((\d+), (\d+)\))")),
          "no matrix");
  FloatMatrix matrix;
  matrix.num_rows = std::stoul(match[1]);
  matrix.num_columns = std::stoul(match[2]);
  matrix.values.resize(matrix.num_rows * matrix.num_columns);
  require(bytes.size() == kPreamble + header_bytes + matrix.values.size() * sizeof(float),
          "size and shape differ");
  std::memcpy(matrix.values.data(), bytes.data() + kPreamble + header_bytes,
              matrix.values.size() * sizeof(float));
  return matrix;
}

}  // namespace contra4::testing
