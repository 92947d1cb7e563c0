#include "contra4/io/file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <fstream>
#include <system_error>
#include <utility>

#include <fmt/format.h>

#include "contra4/io/descriptor.h"
#include "contra4/io/temporary_file.h"

namespace contra4::io {

namespace {

constexpr std::size_t kWriteBlock = 1U << 20;

ErrorCode code_of_errno(int error) {
  switch (error) {
    case ENOENT:
    case ENOTDIR:
      return ErrorCode::kNotFound;
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
      return ErrorCode::kResourceExhausted;
    default:
      return ErrorCode::kInvalidArgument;
  }
}

[[noreturn]] void fail(const std::filesystem::path& path, std::string_view action, int error) {
  throw Exception(code_of_errno(error), fmt::format("{}: cannot {}: {}", path.string(), action,
                                                    std::generic_category().message(error)));
}

}  // namespace

void sync_folder(const std::filesystem::path& folder) {
  const Descriptor descriptor(
      ::open(folder.empty() ? "." : folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (descriptor.get() >= 0) ::fsync(descriptor.get());
}

std::string read_file(const std::filesystem::path& path, std::uint64_t max_bytes) {
  const Descriptor descriptor(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (descriptor.get() < 0) fail(path, "open", errno);
  std::string text;
  struct stat status {};
  if (::fstat(descriptor.get(), &status) == 0 && S_ISREG(status.st_mode)) {
    text.reserve(std::min<std::uint64_t>(static_cast<std::uint64_t>(status.st_size), max_bytes));
  }
  std::string block(1U << 16, '\0');
  while (true) {
    const ssize_t count = ::read(descriptor.get(), block.data(), block.size());
    if (count < 0) {
      if (errno == EINTR) continue;
      fail(path, "read", errno);
    }
    if (count == 0) return text;
    if (text.size() + static_cast<std::size_t>(count) > max_bytes) {
      throw Exception(ErrorCode::kResourceExhausted,
                      fmt::format("{}: larger than {} bytes", path.string(), max_bytes));
    }
    text.append(block.data(), static_cast<std::size_t>(count));
  }
}

AtomicFile::AtomicFile(std::filesystem::path path) : path_(std::move(path)) {
  std::error_code none;
  const auto status = std::filesystem::status(path_, none);
  if (std::filesystem::is_directory(status)) fail(path_, "write", EISDIR);
  if (std::filesystem::exists(status) && !std::filesystem::is_regular_file(status)) {
    descriptor_ = ::open(path_.c_str(), O_WRONLY | O_CLOEXEC);
    if (descriptor_ < 0) fail(path_, "open", errno);
    return;
  }
  if (std::filesystem::is_regular_file(status) && std::filesystem::is_symlink(path_, none)) {
    path_ = std::filesystem::canonical(path_);
  }
  if (path_.has_parent_path()) {
    std::error_code error;
    std::filesystem::create_directories(path_.parent_path(), error);
    if (error) fail(path_.parent_path(), "create the folder", error.value());
  }
  descriptor_ = create_temporary(path_, temporary_);
  if (descriptor_ < 0) fail(path_, "create", errno);
}

AtomicFile::~AtomicFile() {
  if (descriptor_ < 0) return;
  ::close(descriptor_);
  if (temporary_.empty()) return;
  std::error_code ignored;
  std::filesystem::remove(temporary_, ignored);
}

void AtomicFile::write(std::string_view bytes) {
  CONTRA4_CHECK(descriptor_ >= 0, "write after commit");
  buffer_ += bytes;
  if (buffer_.size() >= kWriteBlock) flush();
}

void AtomicFile::flush() {
  std::string_view rest = buffer_;
  while (!rest.empty()) {
    const ssize_t count = ::write(descriptor_, rest.data(), rest.size());
    if (count < 0) {
      if (errno == EINTR) continue;
      fail(path_, "write", errno);
    }
    rest.remove_prefix(static_cast<std::size_t>(count));
  }
  buffer_.clear();
}

void AtomicFile::commit() {
  flush();
  if (temporary_.empty()) {
    if (::close(std::exchange(descriptor_, -1)) != 0) fail(path_, "write", errno);
    return;
  }
  if (::fsync(descriptor_) != 0) fail(path_, "sync", errno);
  const int descriptor = std::exchange(descriptor_, -1);
  const bool is_closed = ::close(descriptor) == 0;
  const int close_error = errno;
  if (!is_closed || ::rename(temporary_.c_str(), path_.c_str()) != 0) {
    const int error = is_closed ? errno : close_error;
    std::error_code ignored;
    std::filesystem::remove(temporary_, ignored);
    fail(path_, "replace", error);
  }
  sync_folder(path_.parent_path());
}

void write_file_atomically(const std::filesystem::path& path, std::string_view bytes) {
  AtomicFile file(path);
  file.write(bytes);
  file.commit();
}

MappedFile::MappedFile(const std::filesystem::path& path) {
  const Descriptor descriptor(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (descriptor.get() < 0) fail(path, "open", errno);
  struct stat status {};
  if (::fstat(descriptor.get(), &status) != 0) fail(path, "read the size", errno);
  if (!S_ISREG(status.st_mode)) {
    throw Exception(ErrorCode::kInvalidArgument, fmt::format("{}: not a file", path.string()));
  }
  size_ = static_cast<std::size_t>(status.st_size);
  if (size_ == 0) return;
  data_ = ::mmap(nullptr, size_, PROT_READ, MAP_PRIVATE, descriptor.get(), 0);
  if (data_ == MAP_FAILED) {
    data_ = nullptr;
    fail(path, "map", errno);
  }
}

MappedFile::~MappedFile() {
  if (data_ != nullptr) ::munmap(data_, size_);
}

void MappedFile::release(std::string_view part) const {
  if (part.empty()) return;
  const auto page = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
  const auto begin = static_cast<std::size_t>(part.data() - static_cast<const char*>(data_));
  CONTRA4_CHECK(begin <= size_ && part.size() <= size_ - begin, "no part of the mapping");
  const std::size_t first = begin / page * page;
  ::madvise(static_cast<char*>(data_) + first, begin - first + part.size(), MADV_DONTNEED);
}

MappedFile::MappedFile(MappedFile&& other) noexcept
    : data_(std::exchange(other.data_, nullptr)), size_(std::exchange(other.size_, 0)) {}

MappedFile& MappedFile::operator=(MappedFile&& other) noexcept {
  std::swap(data_, other.data_);
  std::swap(size_, other.size_);
  return *this;
}

}  // namespace contra4::io
