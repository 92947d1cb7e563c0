// Files as bytes: reading with a cap, writing aside and renaming.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

#include "contra4/base/error.h"

namespace contra4::io {

// The whole file. Throws kNotFound, or kResourceExhausted above `max_bytes`.
std::string read_file(const std::filesystem::path& path, std::uint64_t max_bytes = 1ULL << 30);

// Writes to a temporary name beside `path`, then renames: a reader sees the old file or the new
// one, never a part. Nothing is left behind without commit(). A link stays and its target is
// replaced; a device or a pipe is written to as it is. Throws kResourceExhausted on a full disk.
class AtomicFile {
 public:
  explicit AtomicFile(std::filesystem::path path);
  ~AtomicFile();
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;

  void write(std::string_view bytes);
  // Flushes, syncs to disk, renames. Once.
  void commit();

 private:
  void flush();
  std::filesystem::path path_;
  std::filesystem::path temporary_;  // empty: `path_` is no regular file
  std::string buffer_;
  int descriptor_ = -1;
};

// A rename in a folder is on the disk when the folder is; "" is the current one. Where that cannot
// be asked for nothing happens.
void sync_folder(const std::filesystem::path& folder);

void write_file_atomically(const std::filesystem::path& path, std::string_view bytes);

// A file mapped read-only. Moves, does not copy. Throws kNotFound.
class MappedFile {
 public:
  explicit MappedFile(const std::filesystem::path& path);
  ~MappedFile();
  MappedFile(MappedFile&& other) noexcept;
  MappedFile& operator=(MappedFile&& other) noexcept;
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;
  std::string_view bytes() const { return {static_cast<const char*>(data_), size_}; }
  // Gives back the memory of a part of bytes(), which stays readable: its pages are fetched anew
  // when somebody reads them. Any number of threads may read meanwhile.
  void release(std::string_view part) const;

 private:
  void* data_ = nullptr;
  std::size_t size_ = 0;
};

}  // namespace contra4::io
