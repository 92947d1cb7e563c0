// What writes text when shown messages: a language-model server, a replay, a test's script.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "contra4/base/error.h"
#include "contra4/data/modality.h"

namespace contra4 {

// Text, or a file that the server is to see or hear.
struct ContentPart {
  std::string text;
  std::filesystem::path media;  // not empty: this part is the file, `text` is unused
  Modality modality = Modality::kImage;
};

enum class Role { kSystem, kUser, kAssistant };
std::string_view to_string(Role role);  // "system", "user", "assistant"

struct Message {
  Role role = Role::kUser;
  std::vector<ContentPart> parts;
};

struct Sampling {
  double temperature = 0;  // 0: greedy
  double top_p = 1;
  int max_tokens = 1024;  // of the reply
  std::optional<std::uint64_t> seed;
  std::vector<std::string> stop;
};

// How the answer is to be given.
enum class AnswerFormat {
  kText,      // free text, the choice is read from it
  kSchema,    // restricted by a JSON schema to one of `choices`
  kLogprobs,  // one token; the choice with the highest log-probability
};

struct GenerateRequest {
  std::uint64_t ticket = 0;  // the caller's number, given back with the outcome
  std::string name;          // of the item, for messages
  std::vector<Message> messages;
  Sampling sampling;
  AnswerFormat format = AnswerFormat::kText;
  std::vector<std::string> choices;  // "A", "B", ...: for kSchema and kLogprobs
  // What the reply is to begin with ("Which scene"), with kText. A server that can be made to goes
  // on from there; another one is free to begin as it likes: look at the outcome's text.
  std::string reply_prefix;
};

struct TokenUsage {
  std::int64_t prompt_tokens = 0;
  std::int64_t completion_tokens = 0;
};

enum class OutcomeStatus {
  kAnswered,     // a reply, right or wrong
  kBlocked,      // the server refused this content (safety); a final answer without text
  kUnsupported,  // the server cannot take this modality; reported apart, not an answer
  kFailed,       // no reply after all tries; asked again on the next run
};

struct GenerateOutcome {
  std::uint64_t ticket = 0;
  OutcomeStatus status = OutcomeStatus::kFailed;
  std::string text;  // the reply as the server gave it, behind the prefix that it went on from
  std::vector<double> choice_logprobs;  // one per choice; empty unless asked for and offered
  TokenUsage usage;
  double latency_s = 0;
  int tries = 0;
  std::string endpoint;   // base URL without credentials
  std::string raw_reply;  // the body as received, for the journal
  Error error;            // of every status but kAnswered
};

// Asked whenever there is room for one more in flight; empty: no more.
using GenerateSource = std::function<std::optional<GenerateRequest>()>;
// Called once per request, in the order in which replies arrive, on the thread of run().
using GenerateSink = std::function<void(GenerateOutcome)>;

class TextGenerator {
 public:
  virtual ~TextGenerator() = default;
  // Asks everything `source` gives, holding in memory only what is in flight. After a stop is asked
  // for, nothing new is sent and run() returns within a second; what was in flight is not reported.
  // Exceptions end the run: a refused key (kUnauthenticated), no server at all (kUnavailable).
  virtual void run(const GenerateSource& source, const GenerateSink& sink,
                   std::stop_token stop) = 0;
  // What decides its replies, as a JSON object (model, endpoints, options; never a key).
  virtual std::string description_json() const = 0;
};

}  // namespace contra4
