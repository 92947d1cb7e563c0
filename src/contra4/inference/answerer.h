// What answers a question over scenes: a blind rule, an embedding, a server behind a prompt, a
// program of the user's, a native model. `contra4 evaluate` knows models only as this.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "contra4/base/error.h"
#include "contra4/data/item.h"
#include "contra4/inference/text_generator.h"

namespace contra4 {

// A scene as the model sees it.
struct ShownScene {
  Modality modality = Modality::kImage;
  std::string source;
  RecordId id;
  std::string caption;          // what --input lets the model read; empty when it shows media
  std::filesystem::path media;  // what --input media lets it see; empty otherwise
};

// Scenes stand in the order shown: scenes[0] is "Scene A".
struct Question {
  std::uint64_t ticket = 0;
  std::string item_id;
  std::string text;
  std::vector<ShownScene> scenes;
  std::uint64_t seed = 0;  // derived from item and order, so that a rerun asks the same
  std::string order;       // letters of the file's scenes in the order shown, "BA"; empty: as filed
};

// How an answer of a model in this process came about. Not journaled.
struct AnswerTrace {
  std::string prompt;                          // as the model's tokenizer read it
  std::vector<std::int64_t> prompt_token_ids;  // of the text alone
  std::vector<std::int64_t> token_ids;         // generated
  std::int64_t sequence_length = 0;            // positions before the first generated one
  std::string decoded;  // all that was generated, before the model's own rules cut it
};

struct Answer {
  std::uint64_t ticket = 0;
  OutcomeStatus status = OutcomeStatus::kFailed;
  std::string text;            // raw, as the model gave it
  std::optional<int> choice;   // decided by the answerer itself (scores, schema, logprobs); empty:
                               // read it from `text`
  std::vector<double> scores;  // one per scene, when it has them
  TokenUsage usage;
  double latency_s = 0;
  int tries = 1;
  std::string endpoint;
  std::string raw_reply;
  Error error;
  std::optional<AnswerTrace> trace;
};

using QuestionSource = std::function<std::optional<Question>()>;
using AnswerSink = std::function<void(Answer)>;

// What an answerer has to be shown.
enum class InputNeed { kNothing, kCaptions, kMedia, kEither };

class Answerer {
 public:
  virtual ~Answerer() = default;
  // As TextGenerator::run.
  virtual void run(const QuestionSource& source, const AnswerSink& sink, std::stop_token stop) = 0;
  virtual InputNeed input_need() const = 0;
  // What decides its answers, as a JSON object; part of config.json. Never a key.
  virtual std::string description_json() const = 0;
};

}  // namespace contra4
