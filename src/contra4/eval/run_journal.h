// The journal of a run: one JSON line per finished request, and the index that tells which requests
// of a plan are done and where their lines lie. Raw replies stay in the file.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "contra4/base/error.h"
#include "contra4/eval/request_plan.h"
#include "contra4/inference/reply_record.h"
#include "contra4/io/file.h"

namespace contra4::eval {

// The state of every request of a plan: nine bytes each.
class JournalIndex {
 public:
  explicit JournalIndex(const RequestPlan& plan);

  // Takes every line in: the first final answer of a request wins, else its last line. Lines that
  // cannot be read are counted, with the reason of the first, and their requests stay open; lines
  // of requests outside the plan are counted. A missing file has no lines.
  void read(const std::filesystem::path& path);

  RequestState state(std::size_t request) const { return states_[request]; }
  void set_state(std::size_t request, RequestState state) { states_[request] = state; }
  // Offset of the line that decided, after read().
  std::uint64_t offset(std::size_t request) const { return offsets_[request]; }

  std::uint64_t damaged_lines() const { return damaged_lines_; }
  const std::string& first_damage() const { return first_damage_; }
  std::uint64_t foreign_lines() const { return foreign_lines_; }
  std::uint64_t torn_bytes() const { return torn_bytes_; }

 private:
  const RequestPlan& plan_;
  std::vector<RequestState> states_;
  std::vector<std::uint64_t> offsets_;
  std::uint64_t damaged_lines_ = 0;
  std::string first_damage_;
  std::uint64_t foreign_lines_ = 0;
  std::uint64_t torn_bytes_ = 0;
};

// The lines of a journal by their offsets; mapped, not read.
class JournalLines {
 public:
  explicit JournalLines(const std::filesystem::path& path);
  // Of an offset that an index of the same file gave.
  ReplyRecord at(std::uint64_t offset) const;

 private:
  io::MappedFile file_;
};

}  // namespace contra4::eval
