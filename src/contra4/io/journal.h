// An append-only file of JSON lines: what was paid for is on disk before it counts. A kill at any
// moment leaves whole lines and at most one torn line at the end, which the next open cuts off.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>

namespace contra4::io {

struct JournalOptions {
  // fsync at the latest after so many lines or so much time since the first unsynced line; the
  // lines themselves reach the kernel with every append, so only a power cut can lose what is in
  // between.
  int sync_every_lines = 256;
  std::chrono::milliseconds sync_every{1000};
};

class JournalWriter {
 public:
  // Creates the file or continues it after its last whole line. Holds an exclusive lock; throws
  // kUnavailable when another process holds it.
  explicit JournalWriter(const std::filesystem::path& path, JournalOptions options = {});
  ~JournalWriter();  // syncs
  JournalWriter(const JournalWriter&) = delete;
  JournalWriter& operator=(const JournalWriter&) = delete;

  // `line` without a line break in it. Throws kResourceExhausted on a full disk, with the torn line
  // cut off again.
  void append(std::string_view line);
  void sync();

 private:
  std::filesystem::path path_;
  JournalOptions options_;
  int descriptor_ = -1;
  std::uint64_t end_ = 0;
  int unsynced_lines_ = 0;
  std::chrono::steady_clock::time_point first_unsynced_{};
  std::string buffer_;
};

struct JournalSummary {
  std::uint64_t lines = 0;
  std::uint64_t torn_bytes = 0;  // after the last line break
};

// Calls `line(number from 1, text)` for each whole line, reading in blocks; a missing file has
// none. Throws kResourceExhausted for a line above `max_line_bytes`.
JournalSummary read_journal(const std::filesystem::path& path,
                            const std::function<void(std::uint64_t, std::string_view)>& line,
                            std::size_t max_line_bytes = 256U << 20);

}  // namespace contra4::io
