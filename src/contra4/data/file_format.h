// Which format a data file has, by its name.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

namespace contra4::data {

enum class FileFormat { kJson, kJsonLines, kCsv, kParquet };

// By the suffix, after a .gz is taken off; case does not matter. Empty for any other.
std::optional<FileFormat> find_file_format(const std::filesystem::path& path);

// The file name without .gz and without the suffix of a known format.
std::string dataset_name(const std::filesystem::path& path);

}  // namespace contra4::data
