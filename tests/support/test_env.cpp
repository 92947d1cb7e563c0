#include "tests/support/test_env.h"

#include <cstdlib>
#include <stdexcept>

#include <zlib.h>

namespace contra4::testing {

std::filesystem::path mini_dir() {
  return CONTRA4_SOURCE_DIR "/data/mini";
}

std::filesystem::path fixture(const std::string& room_and_name) {
  return std::filesystem::path(CONTRA4_SOURCE_DIR "/tests") / room_and_name;
}

std::filesystem::path shared_dir() {
  return CONTRA4_SHARED_DIR;
}

std::string read_gz(const std::filesystem::path& path) {
  gzFile file = gzopen(path.c_str(), "rb");
  if (file == nullptr) throw std::runtime_error("cannot open " + path.string());
  std::string text;
  std::string block(1 << 16, '\0');
  int count = 0;
  while ((count = gzread(file, block.data(), static_cast<unsigned>(block.size()))) > 0) {
    text.append(block.data(), static_cast<std::size_t>(count));
  }
  gzclose(file);
  if (count < 0) throw std::runtime_error("damaged gzip " + path.string());
  return text;
}

TempDir::TempDir() {
  std::string pattern = (std::filesystem::temp_directory_path() / "contra4-XXXXXX").string();
  if (mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("mkdtemp failed");
  path_ = pattern;
}

TempDir::~TempDir() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

}  // namespace contra4::testing
