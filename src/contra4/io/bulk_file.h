// A big file written beside other big files. What AtomicFile is to a result, for gigabytes: the
// disk is kept busy while the program still computes, so that little is left to wait for at the
// end.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

#include "contra4/io/descriptor.h"

namespace contra4::io {

enum class Durability {
  kSynced,    // on the disk when commit() returns
  kUnsynced,  // whole for every reader; a power failure may take it
};

// Appears under its name only when it is whole. One thread at a time.
class BulkFile {
 public:
  // Creates the folder. Throws as AtomicFile.
  BulkFile(std::filesystem::path path, Durability durability);
  ~BulkFile();
  BulkFile(const BulkFile&) = delete;
  BulkFile& operator=(const BulkFile&) = delete;

  // Throws kResourceExhausted on a full disk.
  void write(std::string_view bytes);
  void commit();  // once

 private:
  void flush();
  std::filesystem::path path_;
  std::filesystem::path temporary_;
  Durability durability_;
  Descriptor descriptor_;
  std::string buffer_;
  std::uint64_t size_ = 0;    // handed to the system
  std::uint64_t queued_ = 0;  // of it, on its way to the disk
};

}  // namespace contra4::io
