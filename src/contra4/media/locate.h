// Where the file of a medium (source, id) lies.
#pragma once

#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "contra4/base/error.h"
#include "contra4/data/modality.h"
#include "contra4/data/record_id.h"

namespace contra4::media {

// Folders of the published corpora, each named after its environment variable, and one of any
// layout that comes before them. Empty: not set.
struct MediaRoots {
  std::filesystem::path coco_dir;            // {id as 12 digits}.jpg
  std::filesystem::path audiocaps_dir;       // {id}.wav
  std::filesystem::path clotho_dir;          // {id}, which carries its suffix
  std::filesystem::path msrvtt_dir;          // {id}.mp4
  std::filesystem::path objaverse_dir;       // {id}_8192.npz
  std::filesystem::path objaverse_feat_dir;  // the same under its newer name; asked second
  std::filesystem::path media_root;  // --media-root: <source>/<id>[.ext], <modality>/<id>[.ext]
};

struct MediumKey {
  std::string source;
  RecordId id;
  Modality modality = Modality::kImage;
};

class MediaLocator {
 public:
  // Throws kNotFound when a root that is set is no folder.
  explicit MediaLocator(MediaRoots roots);

  // An existing file. Sources are told by the words in front of `_`: coco_val, msrvtt_test,
  // pointllm. kNotFound with the first place looked at and what to set; kInvalidArgument for an id
  // or source that is no plain file name (a separator, "..", a control character): data files are
  // hostile.
  Result<std::filesystem::path> locate(std::string_view source, const RecordId& id,
                                       Modality modality) const;

 private:
  MediaRoots roots_;
};

struct MissingMedium {
  MediumKey key;
  Error error;
};

// Each distinct medium of `keys` that has no file, in order of first mention.
std::vector<MissingMedium> find_missing_media(const MediaLocator& locator,
                                              std::span<const MediumKey> keys);

}  // namespace contra4::media
