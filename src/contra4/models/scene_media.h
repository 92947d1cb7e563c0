// The media of the questions in flight, from file to features: each distinct one is read, decoded
// and encoded once, whatever its path and however many questions show it.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <filesystem>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

#include "contra4/base/error.h"
#include "contra4/base/task_threads.h"
#include "contra4/data/modality.h"
#include "contra4/io/file.h"
#include "contra4/models/feature_store.h"
#include "contra4/models/scene_model.h"

namespace contra4::models {

struct SceneMediaOptions {
  int num_threads = 1;  // that read, hash and prepare
  // Of features that no question holds; beyond it the least recently used ones go. 4,995 media of
  // the published test set take 2.3 GiB as OneLLM encodes them in float32.
  std::uint64_t max_feature_bytes = 3ULL << 30;
  // Between file and features at once: bounds what is prepared and waits to be encoded.
  std::size_t max_under_way = 16;
};

// How many threads prepare media where nobody says it (0): half of those that compute, at least 1.
// Throws as tensor::resolve_num_threads().
int resolve_num_decoders(int num_decoders, int num_threads);

// For a model that computes meanwhile: twice what it encodes at once, so that a batch is prepared
// while another is computed.
std::size_t default_under_way(const SceneModel& model, int num_decoders);

// For one thread, the one that owns the model. Other threads see files, content hashes, prepared
// tensors and the store, which are moved to them and back.
class SceneMedia {
 public:
  // `store` may be null. Both outlive this.
  SceneMedia(SceneModel& model, const FeatureStore* store, const SceneMediaOptions& options);
  ~SceneMedia();  // waits for what the threads have begun
  SceneMedia(const SceneMedia&) = delete;
  SceneMedia& operator=(const SceneMedia&) = delete;

  // A medium by its path.
  struct Medium;
  // Asked for by a question: begins to read it unless it is known. Lives as long as this.
  Medium* want(Modality modality, const std::filesystem::path& path);
  // Empty: not there yet. The error of the file where it cannot be shown.
  std::optional<Result<std::shared_ptr<const SceneFeatures>>> features_of(Medium* medium);

  bool has_room() const { return num_under_way_ < options_.max_under_way; }
  bool is_waiting_for_threads() const { return threads_.num_open() > 0; }
  // Takes in all that the threads have finished. Throws what they threw.
  void collect();
  // The same, after waiting for one of them or for a stop.
  void wait(const std::stop_token& stop);
  // Encodes one batch of one modality: a full one, or else as many as there are. False: none.
  bool encode(bool is_full);
  // Lets features go that are above the bound. Call it when the waiting questions have asked for
  // theirs: what nobody holds may go.
  void trim();
  // Waits until what is to be stored is on disk.
  void finish(const std::stop_token& stop);

 private:
  // What a medium is, by content.
  struct Content {
    Modality modality = Modality::kImage;
    std::string sha256;
    bool is_under_way = false;
    std::shared_ptr<const SceneFeatures> features;
    std::optional<Error> error;
    std::uint64_t num_bytes = 0;
    std::list<Content*>::iterator place;  // in resident_, while it has features
  };
  struct Task;
  struct Outcome;

  Outcome work(Task task) const;
  void identify(Task& task, Outcome& outcome) const;
  void prepare(Task& task, Outcome& outcome) const;
  void store(Task& task) const;

  void take(Outcome outcome);
  void take_identity(Outcome& outcome);
  void take_prepared(Outcome& outcome);
  void keep(Content& content, SceneFeatures features);
  void begin(Medium& medium);
  void push_store(const Content& content, const SceneFeatures& features);
  std::size_t batch_size(Modality modality) const;

  SceneModel& model_;
  const FeatureStore* store_;
  SceneMediaOptions options_;
  std::map<std::pair<Modality, std::filesystem::path>, std::unique_ptr<Medium>> media_;
  std::map<std::pair<Modality, std::string>, std::unique_ptr<Content>> contents_;
  struct Prepared {
    Content* content = nullptr;
    PreparedMedium medium;
  };
  std::map<Modality, std::deque<Prepared>> prepared_;
  std::list<Content*> resident_;  // least recently used first
  std::uint64_t resident_bytes_ = 0;
  std::size_t num_under_way_ = 0;
  mutable std::atomic<bool> has_full_store_ = false;  // set by any thread
  TaskThreads<Task, Outcome> threads_;                // last: ends first
};

}  // namespace contra4::models
