// The media of a training, as the network wants them: through models/scene_media.h each distinct
// one is read, decoded and put through frozen CLIP once.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "contra4/base/error.h"
#include "contra4/data/modality.h"
#include "contra4/models/onellm/prepare.h"
#include "contra4/models/scene_model.h"
#include "contra4/tensor/checkpoint.h"
#include "contra4/train/onellm_network.h"

namespace contra4::train {

class NetworkMedia final : public models::SceneModel {
 public:
  // `weights` are those of the network, which outlives this; what of them is frozen is hashed here.
  NetworkMedia(const OnellmNetwork& network, const tensor::Checkpoint& weights,
               const models::onellm::PrepareOptions& options);

  Result<models::PreparedMedium> prepare(Modality modality, std::string_view bytes,
                                         std::string_view name) const override;
  // A prepared medium that shows nothing.
  models::PreparedMedium blank(Modality modality) const;
  // As OnellmNetwork::freeze(): what is not frozen stays as it was prepared.
  std::vector<models::SceneFeatures> encode(Modality modality,
                                            std::span<const models::PreparedMedium> media) override;
  // To the network's device in its type; what is not frozen stays on the CPU.
  models::SceneFeatures place(models::SceneFeatures features) const override;
  // Not what this is for: kInternal.
  std::vector<models::SceneAnswer> answer(
      std::span<const models::SceneQuestion> questions) override;
  std::size_t encode_batch_size(Modality modality) const override;
  std::size_t answer_batch_size() const override { return 1; }
  std::string feature_key() const override { return feature_key_; }
  std::string description_json() const override;

 private:
  const OnellmNetwork& network_;
  models::onellm::PrepareOptions options_;
  std::string feature_key_;
};

}  // namespace contra4::train
