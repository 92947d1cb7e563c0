// What a native model has to be able to do; everything else (decoding on other threads, keeping
// features, batches, journaling) is NativeAnswerer's.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <ATen/core/Tensor.h>

#include "contra4/base/error.h"
#include "contra4/data/modality.h"

namespace contra4::models {

// One medium ready to be encoded: what preprocessing made of a file. Tensors on the CPU.
using PreparedMedium = std::vector<at::Tensor>;
// One medium as the language model is shown it, [rows, width] mostly; on the model's device.
using SceneFeatures = std::vector<at::Tensor>;

struct SceneQuestion {
  std::string_view text;
  std::vector<Modality> modalities;            // of the scenes in the order shown
  std::vector<const SceneFeatures*> features;  // one per scene
};

struct SceneAnswer {
  std::string text;            // the reply; a scene's name under kLogprobs
  std::string decoded;         // all that was generated, before the model's own rules cut it
  std::optional<int> choice;   // decided by the model itself; empty: read the text
  std::vector<double> scores;  // per scene: log-probability, under kLogprobs
  std::string prompt;
  std::vector<std::int64_t> prompt_token_ids;  // of the text alone
  std::vector<std::int64_t> token_ids;         // generated
  std::int64_t sequence_length = 0;            // positions before the first generated one
  std::optional<Error> error;  // of this question alone (it is too long): nothing else counts then
};

class SceneModel {
 public:
  virtual ~SceneModel() = default;

  // A medium's file, whole, as tensors. Any number of threads. The error of the file, with `name`.
  virtual Result<PreparedMedium> prepare(Modality modality, std::string_view bytes,
                                         std::string_view name) const = 0;
  // Media of one modality at once; one thread at a time, as for answer().
  virtual std::vector<SceneFeatures> encode(Modality modality,
                                            std::span<const PreparedMedium> media) = 0;
  // What encode() gave once, read back to the CPU, as answer() wants it: on the model's device.
  virtual SceneFeatures place(SceneFeatures features) const { return features; }
  // Questions over any scenes at once. The answer to a question does not depend on its neighbours.
  virtual std::vector<SceneAnswer> answer(std::span<const SceneQuestion> questions) = 0;

  // How many media and questions it likes to be given at once on its device.
  virtual std::size_t encode_batch_size(Modality modality) const = 0;
  virtual std::size_t answer_batch_size() const = 0;
  // Hash of all that decides what encode() gives for given bytes: weights, options, versions.
  virtual std::string feature_key() const = 0;
  // What decides its answers, as a JSON object.
  virtual std::string description_json() const = 0;
};

}  // namespace contra4::models
