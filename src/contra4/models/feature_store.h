// Encoded media on disk: what a model made of a file is computed once, on whatever machine.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "contra4/data/modality.h"
#include "contra4/models/scene_model.h"

namespace contra4::models {

// A file per medium, named by the hash of its content, in a folder per model and modality and in
// 256 folders below: FOLDER/MODEL/image/3f/3f1c....safetensors. Any number of threads and processes
// may use a folder: files appear whole, and the same features are the same file. No file stays
// open.
class FeatureStore {
 public:
  // `feature_key` is SceneModel::feature_key(). Nothing is created before the first save().
  FeatureStore(const std::filesystem::path& folder, std::string_view feature_key);

  // On the CPU, in memory of their own. Empty when there are none; also where the file is cut or
  // damaged, which is said as a warning: it is written anew.
  std::optional<SceneFeatures> load(Modality modality, std::string_view content_sha256) const;

  // Tensors on the CPU: floating-point or int64. Throws kResourceExhausted on a full disk,
  // kInvalidArgument for a folder that cannot be written.
  void save(Modality modality, std::string_view content_sha256,
            const SceneFeatures& features) const;

  std::filesystem::path file_of(Modality modality, std::string_view content_sha256) const;

 private:
  std::filesystem::path folder_;  // of this model
  std::string model_;             // hash of its key
};

}  // namespace contra4::models
