// Any bytes as a line of a run's journal: what is read is written and read back the same.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "contra4/inference/reply_record.h"

namespace {

void require(bool holds) {
  if (!holds) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace contra4;
  // NOLINTNEXTLINE(*-reinterpret-cast): bytes as libFuzzer gives them
  const auto entry = parse_reply_record({reinterpret_cast<const char*>(data), size});
  if (!entry) return 0;
  require(!entry->item_id.empty() && entry->state != RequestState::kOpen);
  const std::string line = to_json_line(*entry);
  require(line.find('\n') == std::string::npos);
  const auto again = parse_reply_record(line);
  require(again.has_value());
  require(again->item_id == entry->item_id && again->part == entry->part);
  require(again->state == entry->state && again->choice == entry->choice);
  require(!is_final(entry->state) || again->text == entry->text);
  return 0;
}
