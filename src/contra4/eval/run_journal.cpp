#include "contra4/eval/run_journal.h"

#include <fmt/format.h>

#include "contra4/io/journal.h"

namespace contra4::eval {

JournalIndex::JournalIndex(const RequestPlan& plan)
    : plan_(plan),
      states_(plan.num_requests(), RequestState::kOpen),
      offsets_(plan.num_requests(), 0) {}

void JournalIndex::read(const std::filesystem::path& path) {
  const RequestPlan::Finder finder(plan_);
  std::uint64_t offset = 0;
  const auto summary = io::read_journal(path, [&](std::uint64_t number, std::string_view line) {
    const std::uint64_t begin = offset;
    offset += line.size() + 1;
    const auto entry = parse_reply_record(line);
    if (!entry) {
      if (damaged_lines_++ == 0) {
        first_damage_ = fmt::format("line {}: {}", number, entry.error().message);
      }
      return;
    }
    const auto request = finder.find(entry->item_id, entry->part);
    if (!request) {
      ++foreign_lines_;
      return;
    }
    if (is_final(states_[*request])) return;
    states_[*request] = entry->state;
    offsets_[*request] = begin;
  });
  torn_bytes_ = summary.torn_bytes;
}

JournalLines::JournalLines(const std::filesystem::path& path) : file_(path) {}

ReplyRecord JournalLines::at(std::uint64_t offset) const {
  std::string_view rest = file_.bytes();
  CONTRA4_CHECK(offset < rest.size(), "journal shorter than its index");
  rest.remove_prefix(offset);
  return parse_reply_record(rest.substr(0, rest.find('\n'))).value();
}

}  // namespace contra4::eval
