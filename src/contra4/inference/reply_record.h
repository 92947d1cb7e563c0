// A reply as it is written to a journal before it counts.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "contra4/base/error.h"
#include "contra4/inference/answerer.h"

namespace contra4 {

// How far a request is. Answered and blocked are final and never asked again.
enum class RequestState : std::uint8_t {
  kOpen,         // nothing known
  kAnswered,     // a reply, right or wrong
  kBlocked,      // refused for its content
  kUnsupported,  // the model cannot take one of its modalities
  kFailed,       // no reply after all tries
  kNotShown,     // the input has nothing for one of its scenes; not sent
};
std::string_view to_string(RequestState state);
inline bool is_final(RequestState state) {
  return state == RequestState::kAnswered || state == RequestState::kBlocked;
}

RequestState state_of(OutcomeStatus status);

// What is journaled of one finished request: of an evaluation, of a step of the pipeline.
struct ReplyRecord {
  std::string item_id;
  std::string part;  // which of the item's requests: the order of its scenes ("BA"), "question 2"
  RequestState state = RequestState::kOpen;
  std::string text;
  std::optional<int> choice;  // of the answerer itself, by place shown
  std::vector<double> scores;
  TokenUsage usage;
  double latency_s = 0;
  int tries = 0;
  std::string endpoint;
  std::string raw_reply;
  Error error;  // of every state but kAnswered
};

// Turns an answer whose choice is none of the scenes into a failed one: a fault of the answerer.
void check_choice(Answer& answer, int num_scenes);
ReplyRecord record_of(std::string item_id, std::string part, Answer answer);
ReplyRecord record_of(std::string item_id, std::string part, GenerateOutcome outcome);

std::string to_json_line(const ReplyRecord& record);
// kDataLoss for a line that is none.
Result<ReplyRecord> parse_reply_record(std::string_view line);

}  // namespace contra4
