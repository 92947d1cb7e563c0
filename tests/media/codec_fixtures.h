// What tests of codecs share: files, and pictures as short words.
#pragma once

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>

#include <fmt/format.h>

#include "contra4/base/hash.h"
#include "contra4/media/picture.h"
#include "tests/support/test_env.h"

namespace contra4::media {

inline std::string read_bytes(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  EXPECT_TRUE(file.good()) << path;
  return {std::istreambuf_iterator<char>(file), {}};
}

// tests/media/data/<name>, drawn by tools/make_codec_fixtures.py.
inline std::string fixture_bytes(const std::string& name) {
  return read_bytes(testing::fixture("media/data/" + name));
}

inline std::string golden_bytes(const std::string& name) {
  return read_bytes(testing::shared_dir() / "goldens" / "media" / name);
}

// "37x23 695ebcdde6b59028": the size, and the start of the pixels' SHA-256.
inline std::string summary(const Picture& picture) {
  const std::string_view bytes(reinterpret_cast<const char*>(picture.rgb.data()),
                               picture.rgb.size());
  return fmt::format("{}x{} {}", picture.width, picture.height, sha256_hex(bytes).substr(0, 16));
}

}  // namespace contra4::media
