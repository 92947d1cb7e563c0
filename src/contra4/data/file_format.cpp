#include "contra4/data/file_format.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <string_view>
#include <utility>

namespace contra4::data {

namespace {

std::string lower_extension(const std::filesystem::path& path) {
  std::string extension = path.extension().string();
  std::transform(extension.begin(), extension.end(), extension.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return extension;
}

std::filesystem::path without_gz(const std::filesystem::path& path) {
  return lower_extension(path) == ".gz" ? path.stem() : path.filename();
}

}  // namespace

std::optional<FileFormat> find_file_format(const std::filesystem::path& path) {
  static constexpr std::array<std::pair<std::string_view, FileFormat>, 4> kSuffixes = {{
      {".json", FileFormat::kJson},
      {".jsonl", FileFormat::kJsonLines},
      {".csv", FileFormat::kCsv},
      {".parquet", FileFormat::kParquet},
  }};
  const std::string extension = lower_extension(without_gz(path));
  for (const auto& [suffix, format] : kSuffixes) {
    if (suffix == extension) return format;
  }
  return std::nullopt;
}

std::string dataset_name(const std::filesystem::path& path) {
  const std::filesystem::path name = without_gz(path);
  return (find_file_format(name) ? name.stem() : name).string();
}

}  // namespace contra4::data
