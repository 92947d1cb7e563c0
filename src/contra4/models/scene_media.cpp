#include "contra4/models/scene_media.h"

#include <algorithm>
#include <span>
#include <system_error>

#include <fmt/format.h>

#include "contra4/base/hash.h"
#include "contra4/base/log.h"
#include "contra4/tensor/thread_count.h"

namespace contra4::models {

namespace {

// What makes a path's content worth hashing again.
struct FileStamp {
  std::uint64_t num_bytes = 0;
  std::filesystem::file_time_type changed;

  friend bool operator==(const FileStamp&, const FileStamp&) = default;
};

struct Identity {
  FileStamp stamp;
  std::string sha256;
};

enum class Step { kIdentify, kPrepare, kStore };

std::uint64_t num_bytes_of(const SceneFeatures& features) {
  std::uint64_t sum = 0;
  for (const at::Tensor& tensor : features) sum += tensor.nbytes();
  return sum;
}

}  // namespace

int resolve_num_decoders(int num_decoders, int num_threads) {
  return tensor::resolve_num_threads(num_decoders == 0 ? std::max(1, num_threads / 2)
                                                       : num_decoders);
}

std::size_t default_under_way(const SceneModel& model, int num_decoders) {
  std::size_t largest = 1;
  for (const Modality modality : kModalities) {
    largest = std::max(largest, model.encode_batch_size(modality));
  }
  return 2 * largest + 2 * static_cast<std::size_t>(num_decoders);
}

struct SceneMedia::Medium {
  Modality modality = Modality::kImage;
  std::filesystem::path path;
  bool is_under_way = false;  // read and hashed right now
  std::optional<Identity> identity;
  Content* content = nullptr;
  std::optional<Error> error;  // the file cannot be read
};

// What a thread is given: nothing in it is anybody else's meanwhile. It only hands the two pointers
// back.
struct SceneMedia::Task {
  Step step = Step::kIdentify;
  Medium* medium = nullptr;
  Content* content = nullptr;
  Modality modality = Modality::kImage;
  std::filesystem::path path;
  std::optional<Identity> identity;
  std::shared_ptr<const io::MappedFile> file;
  std::string sha256;
  SceneFeatures features;  // to be stored
};

struct SceneMedia::Outcome {
  Step step = Step::kIdentify;
  Medium* medium = nullptr;
  Content* content = nullptr;
  std::optional<Identity> identity;
  std::shared_ptr<const io::MappedFile> file;
  std::optional<SceneFeatures> stored;
  PreparedMedium prepared;
  std::optional<Error> error;
};

SceneMedia::SceneMedia(SceneModel& model, const FeatureStore* store,
                       const SceneMediaOptions& options)
    : model_(model),
      store_(store),
      options_(options),
      threads_(options.num_threads, [this](Task task) { return work(std::move(task)); }) {}

SceneMedia::~SceneMedia() = default;

SceneMedia::Medium* SceneMedia::want(Modality modality, const std::filesystem::path& path) {
  auto& place = media_[{modality, path}];
  if (!place) {
    place = std::make_unique<Medium>();
    place->modality = modality;
    place->path = path;
  }
  Medium& medium = *place;
  if (medium.is_under_way || medium.error) return &medium;
  if (medium.content != nullptr) {
    Content& content = *medium.content;
    if (content.features) resident_.splice(resident_.end(), resident_, content.place);
    if (content.features || content.error || content.is_under_way) return &medium;
  }
  begin(medium);
  return &medium;
}

void SceneMedia::begin(Medium& medium) {
  medium.is_under_way = true;
  ++num_under_way_;
  Task task;
  task.step = Step::kIdentify;
  task.medium = &medium;
  task.path = medium.path;
  task.identity = medium.identity;
  threads_.push(std::move(task));
}

std::optional<Result<std::shared_ptr<const SceneFeatures>>> SceneMedia::features_of(
    Medium* medium) {
  if (medium->error) return Result<std::shared_ptr<const SceneFeatures>>(*medium->error);
  if (medium->content == nullptr || medium->is_under_way) return std::nullopt;
  Content& content = *medium->content;
  if (content.error) return Result<std::shared_ptr<const SceneFeatures>>(*content.error);
  if (!content.features) return std::nullopt;
  return Result<std::shared_ptr<const SceneFeatures>>(content.features);
}

SceneMedia::Outcome SceneMedia::work(Task task) const {
  const tensor::OpThreads one(1);  // the model computes meanwhile, on the other cores
  Outcome outcome;
  outcome.step = task.step;
  outcome.medium = task.medium;
  outcome.content = task.content;
  switch (task.step) {
    case Step::kIdentify:
      identify(task, outcome);
      break;
    case Step::kPrepare:
      prepare(task, outcome);
      break;
    case Step::kStore:
      store(task);
      break;
  }
  return outcome;
}

void SceneMedia::identify(Task& task, Outcome& outcome) const {
  try {
    auto file = std::make_shared<const io::MappedFile>(task.path);
    const FileStamp stamp{.num_bytes = file->bytes().size(),
                          .changed = std::filesystem::last_write_time(task.path)};
    const bool is_known = task.identity && task.identity->stamp == stamp;
    outcome.identity = {stamp, is_known ? task.identity->sha256 : sha256_hex(file->bytes())};
    outcome.file = std::move(file);
  } catch (const Exception& error) {
    outcome.error = error.error();
  } catch (const std::filesystem::filesystem_error& error) {
    outcome.error = Error{ErrorCode::kNotFound, error.what()};
  }
}

void SceneMedia::prepare(Task& task, Outcome& outcome) const {
  if (store_ != nullptr) {
    outcome.stored = store_->load(task.modality, task.sha256);
    if (outcome.stored) return;
  }
  auto prepared = model_.prepare(task.modality, task.file->bytes(), task.path.string());
  if (prepared) {
    outcome.prepared = std::move(*prepared);
  } else {
    outcome.error = prepared.error();
  }
}

void SceneMedia::store(Task& task) const {
  if (has_full_store_) return;
  try {
    store_->save(task.modality, task.sha256, task.features);
  } catch (const Exception& error) {
    if (!has_full_store_.exchange(true)) {
      log::warning("no more features are stored: {}", error.what());
    }
  }
}

void SceneMedia::collect() {
  while (auto outcome = threads_.try_pop()) take(std::move(*outcome));
}

void SceneMedia::wait(const std::stop_token& stop) {
  if (auto outcome = threads_.wait_pop(stop)) take(std::move(*outcome));
  collect();
}

void SceneMedia::finish(const std::stop_token& stop) {
  while (auto outcome = threads_.wait_pop(stop)) take(std::move(*outcome));
}

void SceneMedia::take(Outcome outcome) {
  switch (outcome.step) {
    case Step::kIdentify:
      return take_identity(outcome);
    case Step::kPrepare:
      return take_prepared(outcome);
    case Step::kStore:
      return;
  }
}

void SceneMedia::take_identity(Outcome& outcome) {
  Medium& medium = *outcome.medium;
  medium.is_under_way = false;
  --num_under_way_;
  if (outcome.error) {
    medium.error = std::move(outcome.error);
    return;
  }
  medium.identity = std::move(outcome.identity);
  auto& place = contents_[{medium.modality, medium.identity->sha256}];
  if (!place) {
    place = std::make_unique<Content>();
    place->modality = medium.modality;
    place->sha256 = medium.identity->sha256;
  }
  medium.content = place.get();
  Content& content = *place;
  if (content.features || content.error || content.is_under_way) return;
  content.is_under_way = true;
  ++num_under_way_;
  Task task;
  task.step = Step::kPrepare;
  task.content = &content;
  task.modality = content.modality;
  task.path = medium.path;
  task.sha256 = content.sha256;
  task.file = std::move(outcome.file);
  threads_.push(std::move(task));
}

void SceneMedia::take_prepared(Outcome& outcome) {
  Content& content = *outcome.content;
  if (outcome.error) {
    content.error = std::move(outcome.error);
    content.is_under_way = false;
    --num_under_way_;
  } else if (outcome.stored) {
    keep(content, model_.place(std::move(*outcome.stored)));
  } else {
    prepared_[content.modality].push_back({&content, std::move(outcome.prepared)});
  }
}

bool SceneMedia::encode(bool is_full) {
  const auto longest = std::max_element(
      prepared_.begin(), prepared_.end(),
      [](const auto& a, const auto& b) { return a.second.size() < b.second.size(); });
  auto chosen = prepared_.end();
  if (!is_full) {
    chosen = longest;
  } else {
    chosen = std::find_if(prepared_.begin(), prepared_.end(), [this](const auto& group) {
      return group.second.size() >= batch_size(group.first);
    });
  }
  if (chosen == prepared_.end() || chosen->second.empty()) return false;
  auto& [modality, waiting] = *chosen;
  const std::size_t count = std::min(waiting.size(), batch_size(modality));
  std::vector<Content*> contents;
  std::vector<PreparedMedium> media;
  for (std::size_t i = 0; i < count; ++i) {
    contents.push_back(waiting.front().content);
    media.push_back(std::move(waiting.front().medium));
    waiting.pop_front();
  }
  std::vector<SceneFeatures> features = model_.encode(modality, media);
  CONTRA4_CHECK(features.size() == count, "features for each medium");
  for (std::size_t i = 0; i < count; ++i) {
    if (store_ != nullptr) push_store(*contents[i], features[i]);
    keep(*contents[i], std::move(features[i]));
  }
  return true;
}

std::size_t SceneMedia::batch_size(Modality modality) const {
  return std::max<std::size_t>(1, model_.encode_batch_size(modality));
}

void SceneMedia::push_store(const Content& content, const SceneFeatures& features) {
  Task task;
  task.step = Step::kStore;
  task.modality = content.modality;
  task.sha256 = content.sha256;
  for (const at::Tensor& tensor : features) task.features.push_back(tensor.cpu());
  threads_.push(std::move(task));
}

void SceneMedia::keep(Content& content, SceneFeatures features) {
  content.is_under_way = false;
  --num_under_way_;
  content.num_bytes = num_bytes_of(features);
  content.features = std::make_shared<const SceneFeatures>(std::move(features));
  content.place = resident_.insert(resident_.end(), &content);
  resident_bytes_ += content.num_bytes;
}

void SceneMedia::trim() {
  for (auto place = resident_.begin();
       place != resident_.end() && resident_bytes_ > options_.max_feature_bytes;) {
    Content& content = **place;
    if (content.features.use_count() > 1) {  // a question waits with it
      ++place;
      continue;
    }
    content.features.reset();
    resident_bytes_ -= content.num_bytes;
    place = resident_.erase(place);
  }
}

}  // namespace contra4::models
