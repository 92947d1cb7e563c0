#include "contra4/io/journal.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <system_error>

#include <fmt/format.h>

#include "contra4/base/error.h"
#include "contra4/io/descriptor.h"

namespace contra4::io {

namespace {

[[noreturn]] void fail(const std::filesystem::path& path, std::string_view action, int error) {
  throw Exception(error == ENOSPC || error == EDQUOT || error == EFBIG
                      ? ErrorCode::kResourceExhausted
                      : ErrorCode::kInvalidArgument,
                  fmt::format("{}: cannot {}: {}", path.string(), action,
                              std::generic_category().message(error)));
}

// Offset just after the last line break: where a torn line, if any, begins.
std::uint64_t end_of_whole_lines(int descriptor, std::uint64_t size) {
  std::array<char, 1U << 16> block{};
  std::uint64_t end = size;
  while (end > 0) {
    const std::uint64_t begin = end > block.size() ? end - block.size() : 0;
    const ssize_t count = ::pread(descriptor, block.data(), end - begin, static_cast<off_t>(begin));
    if (count <= 0) return size;
    for (ssize_t i = count; i > 0; --i) {
      if (block[static_cast<std::size_t>(i - 1)] == '\n')
        return begin + static_cast<std::uint64_t>(i);
    }
    end = begin;
  }
  return 0;
}

}  // namespace

JournalWriter::JournalWriter(const std::filesystem::path& path, JournalOptions options)
    : path_(path), options_(options) {
  descriptor_ = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666);
  if (descriptor_ < 0) fail(path, "open", errno);
  try {
    if (::flock(descriptor_, LOCK_EX | LOCK_NB) != 0) {
      throw Exception(
          ErrorCode::kUnavailable,
          fmt::format("{}: another process is writing to this folder; wait for it to end "
                      "or choose another --output",
                      path.string()));
    }
    const off_t size = ::lseek(descriptor_, 0, SEEK_END);
    if (size < 0) fail(path, "read the size", errno);
    end_ = end_of_whole_lines(descriptor_, static_cast<std::uint64_t>(size));
    if (::ftruncate(descriptor_, static_cast<off_t>(end_)) != 0) fail(path, "cut", errno);
  } catch (...) {
    ::close(descriptor_);
    throw;
  }
}

JournalWriter::~JournalWriter() {
  if (unsynced_lines_ > 0) ::fdatasync(descriptor_);
  ::close(descriptor_);
}

void JournalWriter::append(std::string_view line) {
  CONTRA4_CHECK(line.find('\n') == std::string_view::npos, "line break in a journal line");
  buffer_.assign(line);
  buffer_ += '\n';
  std::string_view rest = buffer_;
  std::uint64_t offset = end_;
  while (!rest.empty()) {
    const ssize_t count =
        ::pwrite(descriptor_, rest.data(), rest.size(), static_cast<off_t>(offset));
    if (count < 0) {
      if (errno == EINTR) continue;
      const int error = errno;
      // The next open cuts a torn line too; a failure here costs nothing.
      (void)!::ftruncate(descriptor_, static_cast<off_t>(end_));
      fail(path_, "append to", error);
    }
    offset += static_cast<std::uint64_t>(count);
    rest.remove_prefix(static_cast<std::size_t>(count));
  }
  end_ = offset;
  const auto now = std::chrono::steady_clock::now();
  if (unsynced_lines_++ == 0) first_unsynced_ = now;
  if (unsynced_lines_ >= options_.sync_every_lines ||
      now - first_unsynced_ >= options_.sync_every) {
    sync();
  }
}

void JournalWriter::sync() {
  if (unsynced_lines_ == 0) return;
  if (::fdatasync(descriptor_) != 0) fail(path_, "sync", errno);
  unsynced_lines_ = 0;
}

JournalSummary read_journal(const std::filesystem::path& path,
                            const std::function<void(std::uint64_t, std::string_view)>& line,
                            std::size_t max_line_bytes) {
  JournalSummary summary;
  const Descriptor descriptor(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (descriptor.get() < 0) {
    if (errno == ENOENT) return summary;
    fail(path, "open", errno);
  }
  std::string pending;
  std::string block(1U << 20, '\0');
  while (true) {
    const ssize_t count = ::read(descriptor.get(), block.data(), block.size());
    if (count < 0) {
      if (errno == EINTR) continue;
      fail(path, "read", errno);
    }
    if (count == 0) break;
    std::string_view rest(block.data(), static_cast<std::size_t>(count));
    for (std::size_t end = 0; (end = rest.find('\n')) != std::string_view::npos;) {
      if (pending.empty()) {
        line(++summary.lines, rest.substr(0, end));
      } else {
        pending += rest.substr(0, end);
        line(++summary.lines, pending);
        pending.clear();
      }
      rest.remove_prefix(end + 1);
    }
    pending += rest;
    if (pending.size() > max_line_bytes) {
      throw Exception(ErrorCode::kResourceExhausted,
                      fmt::format("{}: line {} is longer than {} bytes; is this a journal?",
                                  path.string(), summary.lines + 1, max_line_bytes));
    }
  }
  summary.torn_bytes = pending.size();
  return summary;
}

}  // namespace contra4::io
