#include "contra4/train/batch_media.h"

#include <utility>

namespace contra4::train {

BatchMedia::BatchMedia(NetworkMedia& model, const models::FeatureStore* store, int num_threads)
    : model_(model),
      media_(model, store,
             {.num_threads = num_threads,
              .max_under_way = models::default_under_way(model, num_threads)}) {}

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
  const models::PreparedMedium medium = model_.blank(modality);
  made = std::make_shared<const models::SceneFeatures>(
      std::move(model_.encode(modality, {&medium, 1}).front()));
  return made;
}

}  // namespace contra4::train
