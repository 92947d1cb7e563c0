// The bytes of a file as they come, plain or gzip, for readers whose memory must not follow the
// size of the file. Whether it is gzip is told by the content, not by the name.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "contra4/base/error.h"

namespace contra4::io {

// What a gzip file may unfold to. Plain files have no limit: they cost the disk what they give.
struct ByteLimits {
  std::uint64_t max_decompressed_bytes = 64ULL << 30;
  // Bytes out for each byte in. Deflate cannot exceed 1032; text stays below 100.
  double max_compression_ratio = 1000;
  // Below so many bytes out the ratio is not looked at: small files of zeros harm nobody.
  std::uint64_t ratio_free_bytes = 64U << 20;
};

class ByteSource {
 public:
  virtual ~ByteSource() = default;

  // Fills the front of `buffer` (never empty) and returns how many bytes, 0 at the end only.
  // kDataLoss for a cut or damaged gzip stream, kResourceExhausted past a limit; an error stays.
  virtual Result<std::size_t> read(std::span<char> buffer) = 0;
};

// Sees every byte as it lies on disk, compressed if it is; for hashing on the way.
using ByteObserver = std::function<void(std::string_view)>;

// Pipes work too. Throws kNotFound, kInvalidArgument for a folder.
std::unique_ptr<ByteSource> open_bytes(const std::filesystem::path& path,
                                       const ByteLimits& limits = {}, ByteObserver observer = {});

// The same over bytes in memory.
std::unique_ptr<ByteSource> bytes_in_memory(std::string bytes, const ByteLimits& limits = {});

}  // namespace contra4::io
