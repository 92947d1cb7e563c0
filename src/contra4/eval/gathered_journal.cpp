#include "contra4/eval/gathered_journal.h"

#include <optional>
#include <string_view>

#include "contra4/eval/run_journal.h"
#include "contra4/inference/reply_record.h"
#include "contra4/io/journal.h"

namespace contra4::eval {

std::size_t gather_answers(const RequestPlan& plan, std::span<const std::filesystem::path> from,
                           const std::filesystem::path& into) {
  JournalIndex index(plan);
  index.read(into);
  const RequestPlan::Finder finder(plan);
  std::optional<io::JournalWriter> writer;
  std::size_t num_added = 0;
  for (const std::filesystem::path& path : from) {
    io::read_journal(path, [&](std::uint64_t, std::string_view line) {
      const auto record = parse_reply_record(line);
      if (!record || !is_final(record->state)) return;
      const auto request = finder.find(record->item_id, record->part);
      if (!request || is_final(index.state(*request))) return;
      if (!writer) writer.emplace(into);
      writer->append(line);
      index.set_state(*request, record->state);
      ++num_added;
    });
  }
  return num_added;
}

}  // namespace contra4::eval
