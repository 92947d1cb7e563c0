// What every step of the pipeline has beside its output: a manifest that says what the output was
// made of and what became of each row, the rows that were dropped with their reasons, and a journal
// where the step asks a model. A step whose settings and inputs are those of its manifest is done;
// one whose are not is refused, or done again.
//
//   step2_3/random_test.json                        the output
//   step2_3/random_test.manifest.json               written last: with it the step is done
//   step2_3/random_test.dropped.jsonl               {"id", "reason", "detail"} a line, once per id
//   step2_3/random_test.1f9a03c2.journal.jsonl      raw replies; the digits are those of the key
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "contra4/base/shard.h"
#include "contra4/io/json.h"
#include "contra4/io/json_writer.h"

namespace contra4::pipeline {

// Named numbers in the order in which people read them: "tuples": 22000, "malformed": 31.
using Counts = std::vector<std::pair<std::string, std::int64_t>>;

struct StageInput {
  std::string name;  // "tuples"
  std::filesystem::path path;
};

// Everything that decides a step's output. Paths are no part of it, and members that say where or
// how fast a model is asked (is_service_setting) are left out of it.
struct StageConfig {
  std::string stage;               // "generate": the command, for messages
  std::string settings_json;       // an object
  std::vector<StageInput> inputs;  // hashed by content
  Shard shard{};
};

// What to do when the output was made with other settings or inputs.
enum class WhenChanged {
  kRefuse,     // throw, naming each difference: a command that was typed
  kRedo,       // make it again; journals of earlier settings stay: contra4 pipeline
  kOverwrite,  // as kRedo, and ask every question anew: --overwrite
};

struct Manifest {
  std::string stage;
  std::string key;      // SHA-256 over stage, settings, hashes of the inputs and shard
  std::string version;  // of the program
  io::JsonValue settings;
  Shard shard{};
  std::vector<std::pair<std::string, std::string>> inputs;     // name, SHA-256
  std::vector<std::pair<std::string, std::uint64_t>> outputs;  // file name, bytes
  Counts counts;
  // Sentences that a reader of the data must know: "questions were written by rules; not for
  // publication".
  std::vector<std::string> notes;
};

// The path beside an output: step2_3/random_test.manifest.json.
std::filesystem::path manifest_path(const std::filesystem::path& output);
std::filesystem::path dropped_path(const std::filesystem::path& output);
// Whether a name is that of a manifest, a list of dropped rows, a journal or a lock, which a
// pattern for outputs (random_test.shard-*) finds as well.
bool is_beside_output(const std::filesystem::path& path);
// Empty when the file is not there. Throws kDataLoss for one that cannot be read.
std::optional<Manifest> find_manifest(const std::filesystem::path& output);
// The members of a manifest, into an open object.
void write_manifest_members(io::JsonWriter& json, const Manifest& manifest);
// Of what decides a step, without what came of it.
std::string manifest_key(const Manifest& manifest);
// Beside the output, atomically. Steps use Stage::finish().
void write_manifest(const std::filesystem::path& output, const Manifest& manifest);

class Stage {
 public:
  // Hashes the inputs (throws kNotFound for one that is not there), locks the output's name against
  // another process (kUnavailable), and compares with the manifest. `outputs` are all files that
  // the step writes; the first one names manifest, dropped rows and journals.
  static Stage open(std::vector<std::filesystem::path> outputs, const StageConfig& config,
                    WhenChanged when_changed);
  Stage(Stage&&) noexcept;
  Stage& operator=(Stage&&) noexcept;
  Stage(const Stage&) = delete;
  Stage& operator=(const Stage&) = delete;
  ~Stage();

  // The outputs are there, made with this key.
  bool is_done() const;
  const std::string& key() const;
  const std::filesystem::path& output() const;  // the first
  // Of this key; `name` tells several apart ("llama"), empty for the only one.
  std::filesystem::path journal_path(std::string_view name = {}) const;

  // Records a row that goes no further, once per id; in any order.
  void drop(std::string_view id, std::string_view reason, std::string_view detail = {});
  // After the outputs are in place: writes dropped rows, then the manifest. `counts` start with
  // what went in and end with what came out.
  void finish(const Counts& counts, const std::vector<std::string>& notes = {});
  // What finish() wrote, or what an earlier run did when the stage is done.
  const Manifest& manifest() const;

 private:
  void remove_journals() const;
  struct State;
  explicit Stage(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

// The settings and inputs that two manifests disagree on, as people read them:
// "settings.temperature: 0.3 before, 0.5 now".
std::vector<std::string> manifest_differences(const Manifest& before, const Manifest& after);

// How far a step is.
struct StepProgress {
  std::int64_t total = 0;
  std::int64_t done = 0;     // rows, or requests, earlier runs included
  std::int64_t resumed = 0;  // of them, found in the journal
  std::int64_t failed = 0;
  std::int64_t in_flight = 0;
  std::string note;  // "questions", "order 3 of 24"; empty: nothing to add
};
using StepProgressCallback = std::function<void(const StepProgress&)>;

// How a step ended.
struct StepOutcome {
  Counts counts;
  std::vector<std::string> notes;
  std::int64_t num_failed = 0;  // requests without a reply: the step is not finished, run it again
  bool is_cancelled = false;
  bool was_done_before = false;  // all that it makes was there: nothing was done
  bool is_complete() const { return num_failed == 0 && !is_cancelled; }
};

}  // namespace contra4::pipeline
