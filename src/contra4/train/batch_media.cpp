#include "contra4/train/batch_media.h"

#include <algorithm>
#include <utility>

#include <ATen/ops/zeros.h>

#include "contra4/base/error.h"

namespace contra4::train {

namespace {

// Twice what is encoded at once, so that the next ones are prepared meanwhile.
std::size_t max_under_way(const models::SceneModel& model, int num_threads) {
  std::size_t largest = 1;
  for (const Modality modality : kModalities) {
    largest = std::max(largest, model.encode_batch_size(modality));
  }
  return 2 * largest + 2 * static_cast<std::size_t>(num_threads);
}

}  // namespace

BatchMedia::BatchMedia(models::SceneModel& model, const models::FeatureStore* store,
                       int num_threads)
    : model_(model),
      media_(model, store,
             {.num_threads = num_threads, .max_under_way = max_under_way(model, num_threads)}) {}

void BatchMedia::prefetch(std::span<const LearntItem* const> items) {
  for (const LearntItem* item : items) {
    for (std::size_t i = 0; i < item->media.size(); ++i) {
      if (!media_.has_room()) return;
      media_.want(item->modalities[i], item->media[i]);
    }
  }
}

std::vector<ShownMedia> BatchMedia::fetch(std::span<const LearntItem* const> items,
                                          const std::stop_token& stop) {
  std::vector<ShownMedia> shown(items.size());
  for (std::size_t i = 0; i < items.size(); ++i) shown[i].scenes.resize(items[i]->media.size());
  while (!stop.stop_requested()) {
    media_.collect();
    bool is_ready = true;
    for (std::size_t i = 0; i < items.size(); ++i) is_ready &= settle(*items[i], shown[i]);
    if (is_ready) {
      media_.trim();
      return shown;
    }
    // What the next step asks for goes with it, where it is there by now.
    if (!media_.encode(true) && !media_.encode(false)) media_.wait(stop);
  }
  return {};
}

// Whether all of an item is there. Asks for what is not, so that what was let go comes back.
bool BatchMedia::settle(const LearntItem& item, ShownMedia& shown) {
  bool is_ready = true;
  for (std::size_t i = 0; i < item.media.size(); ++i) {
    if (shown.scenes[i]) continue;
    auto* medium = media_.want(item.modalities[i], item.media[i]);
    auto features = media_.features_of(medium);
    if (!features) {
      is_ready = false;
    } else if (*features) {
      shown.scenes[i] = std::move(**features);
    } else {
      if (!shown.error) shown.error = features->error();
      shown.scenes[i] = blank(item.modalities[i]);
    }
  }
  return is_ready;
}

std::shared_ptr<const models::SceneFeatures> BatchMedia::blank(Modality modality) {
  auto& made = blanks_[modality];
  if (made) return made;
  constexpr std::int64_t kSide = 224;
  models::PreparedMedium medium;
  switch (modality) {
    case Modality::kImage:
      medium = {at::zeros({3, kSide, kSide})};
      break;
    case Modality::kVideo:
      medium = {at::zeros({1, 3, kSide, kSide})};
      break;
    case Modality::kAudio:
      medium = {at::zeros({1, 128, 1024})};
      break;
    case Modality::kPointCloud:
      medium = {at::zeros({1, 6}), at::zeros({1024, 1}, at::kLong)};
      break;
  }
  made = std::make_shared<const models::SceneFeatures>(
      std::move(model_.encode(modality, {&medium, 1}).front()));
  return made;
}

}  // namespace contra4::train
