// The media of batches: read and decoded on other threads, those of the next step while one is
// computed.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <span>
#include <stop_token>
#include <vector>

#include "contra4/base/error.h"
#include "contra4/models/feature_store.h"
#include "contra4/models/scene_media.h"
#include "contra4/train/network_media.h"
#include "contra4/train/training_set.h"

namespace contra4::train {

// What an item shows, one a scene. Where a medium cannot be read the item is not to be learnt from,
// but has features of the right form: all processes have to compute through the same layers.
struct ShownMedia {
  std::vector<std::shared_ptr<const models::SceneFeatures>> scenes;
  std::optional<Error> error;  // of the first medium that cannot be read
};

class BatchMedia {
 public:
  // `model` makes of files what the network is shown; `store` may be null. Both outlive this.
  BatchMedia(NetworkMedia& model, const models::FeatureStore* store, int num_threads);

  // Begins to read, as far as there is room.
  void prefetch(std::span<const LearntItem* const> items);
  // Waits. After a stop nothing is there: empty.
  std::vector<ShownMedia> fetch(std::span<const LearntItem* const> items,
                                const std::stop_token& stop);

 private:
  bool settle(const LearntItem& item, ShownMedia& shown);
  std::shared_ptr<const models::SceneFeatures> blank(Modality modality);

  NetworkMedia& model_;
  models::SceneMedia media_;
  std::map<Modality, std::shared_ptr<const models::SceneFeatures>> blanks_;
};

}  // namespace contra4::train
