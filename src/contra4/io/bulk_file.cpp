#include "contra4/io/bulk_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <system_error>
#include <utility>

#include <fmt/format.h>

#include "contra4/base/error.h"
#include "contra4/io/file.h"
#include "contra4/io/temporary_file.h"

namespace contra4::io {

namespace {

constexpr std::size_t kWriteBlock = 1U << 20;
constexpr std::uint64_t kQueueBlock = 8U << 20;

[[noreturn]] void fail(const std::filesystem::path& path, std::string_view action, int error) {
  const bool is_full = error == ENOSPC || error == EDQUOT || error == EFBIG;
  throw Exception(is_full ? ErrorCode::kResourceExhausted : ErrorCode::kInvalidArgument,
                  fmt::format("{}: cannot {}: {}", path.string(), action,
                              std::generic_category().message(error)));
}

std::filesystem::path with_folder(std::filesystem::path path) {
  if (path.has_parent_path()) {
    std::error_code error;
    std::filesystem::create_directories(path.parent_path(), error);
    if (error) fail(path.parent_path(), "create the folder", error.value());
  }
  return path;
}

int open_temporary(const std::filesystem::path& path, std::filesystem::path& temporary) {
  const int descriptor = create_temporary(path, temporary);
  if (descriptor < 0) fail(path, "create", errno);
  return descriptor;
}

}  // namespace

BulkFile::BulkFile(std::filesystem::path path, Durability durability)
    : path_(with_folder(std::move(path))),
      durability_(durability),
      descriptor_(open_temporary(path_, temporary_)) {
  buffer_.reserve(2 * kWriteBlock);
}

BulkFile::~BulkFile() {
  if (temporary_.empty()) return;
  std::error_code ignored;
  std::filesystem::remove(temporary_, ignored);
}

void BulkFile::write(std::string_view bytes) {
  CONTRA4_CHECK(!temporary_.empty(), "write after commit");
  buffer_ += bytes;
  if (buffer_.size() >= kWriteBlock) flush();
}

void BulkFile::flush() {
  std::string_view rest = buffer_;
  while (!rest.empty()) {
    const ssize_t count = ::write(descriptor_.get(), rest.data(), rest.size());
    if (count < 0) {
      if (errno == EINTR) continue;
      fail(path_, "write", errno);
    }
    rest.remove_prefix(static_cast<std::size_t>(count));
  }
  size_ += buffer_.size();
  buffer_.clear();
  if (durability_ == Durability::kSynced && size_ - queued_ >= kQueueBlock) {
    // Starts the writing and does not wait; fsync() tells what failed.
    ::sync_file_range(descriptor_.get(), static_cast<off64_t>(queued_),
                      static_cast<off64_t>(size_ - queued_), SYNC_FILE_RANGE_WRITE);
    queued_ = size_;
  }
}

void BulkFile::commit() {
  CONTRA4_CHECK(!temporary_.empty(), "a second commit");
  flush();
  if (durability_ == Durability::kSynced && ::fsync(descriptor_.get()) != 0) {
    fail(path_, "sync", errno);
  }
  if (::rename(temporary_.c_str(), path_.c_str()) != 0) fail(path_, "replace", errno);
  temporary_.clear();
  if (durability_ == Durability::kUnsynced) return;
  sync_folder(path_.parent_path());
}

}  // namespace contra4::io
