// What became of the requests of a run, as its journal tells: the part of a result that is no
// score.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "contra4/base/error.h"
#include "contra4/eval/request_plan.h"
#include "contra4/eval/run_journal.h"

namespace contra4::eval {

// A request without an answer and why.
struct MissedRequest {
  std::string item_id;
  std::string order;
  RequestState state = RequestState::kFailed;
  Error error;
};

// At most so many MissedRequests are kept per state; the counts are of all.
inline constexpr std::size_t kMaxListedMisses = 1000;

struct RunSummary {
  std::int64_t requests = 0;
  std::int64_t answered = 0;
  std::int64_t blocked = 0;
  std::int64_t unsupported = 0;
  std::int64_t failed = 0;
  std::int64_t not_shown = 0;
  std::int64_t open = 0;  // never finished
  // Failed, unsupported and unshown ones in the order of the plan.
  std::vector<MissedRequest> missed;
  // Unsupported requests by the modalities of their scenes ("audio+video").
  std::map<std::string, std::int64_t> unsupported_by_modalities;
  std::uint64_t damaged_lines = 0;  // of the journal, skipped
};

// Reads the journal as far as needed; `index` has read it.
RunSummary summarize(const RequestPlan& plan, const JournalIndex& index,
                     const std::filesystem::path& journal_path);

}  // namespace contra4::eval
