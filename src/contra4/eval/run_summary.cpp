#include "contra4/eval/run_summary.h"

#include <array>
#include <optional>

#include "contra4/scoring/breakdown.h"

namespace contra4::eval {

RunSummary summarize(const RequestPlan& plan, const JournalIndex& index,
                     const std::filesystem::path& journal_path) {
  RunSummary summary;
  summary.requests = static_cast<std::int64_t>(plan.num_requests());
  summary.damaged_lines = index.damaged_lines();
  std::optional<JournalLines> lines;
  std::array<std::size_t, 6> listed{};
  for (std::size_t request = 0; request < plan.num_requests(); ++request) {
    const RequestState state = index.state(request);
    switch (state) {
      case RequestState::kOpen:
        ++summary.open;
        continue;
      case RequestState::kAnswered:
        ++summary.answered;
        continue;
      case RequestState::kBlocked:
        ++summary.blocked;
        continue;
      case RequestState::kUnsupported:
        ++summary.unsupported;
        ++summary.unsupported_by_modalities[scoring::modality_set_name(
            plan.items()[plan.request(request).item])];
        break;
      case RequestState::kFailed:
        ++summary.failed;
        break;
      case RequestState::kNotShown:
        ++summary.not_shown;
        break;
    }
    if (listed[static_cast<std::size_t>(state)]++ >= kMaxListedMisses) continue;
    if (!lines) lines.emplace(journal_path);
    ReplyRecord entry = lines->at(index.offset(request));
    summary.missed.push_back(
        {std::move(entry.item_id), std::move(entry.part), state, std::move(entry.error)});
  }
  return summary;
}

}  // namespace contra4::eval
