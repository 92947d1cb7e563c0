// The file that stands beside another one while it is being written.
#pragma once

#include <filesystem>

namespace contra4::io {

// Creates PATH.tmp-xxxxxx for writing and gives its descriptor, which the caller owns, and its
// name. The file is locked while the descriptor is open; those that a killed process left beside
// it, which nobody locks any more, are removed. -1 with errno set when it cannot be created.
int create_temporary(const std::filesystem::path& path, std::filesystem::path& temporary);

}  // namespace contra4::io
