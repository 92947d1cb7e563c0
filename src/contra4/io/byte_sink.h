// Bytes into a file that appears only when it is whole, plain or gzip by suffix.
#pragma once

#include <filesystem>
#include <memory>
#include <string_view>

namespace contra4::io {

class ByteSink {
 public:
  virtual ~ByteSink() = default;
  // Throws kResourceExhausted on a full disk.
  virtual void write(std::string_view bytes) = 0;
  // Ends the stream and renames the file into place; without it nothing appears. Once.
  virtual void commit() = 0;
};

// gzip where the name ends in .gz. The same bytes give the same file: no name, no time in it.
std::unique_ptr<ByteSink> create_bytes(const std::filesystem::path& path);

}  // namespace contra4::io
