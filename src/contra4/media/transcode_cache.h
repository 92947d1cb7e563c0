// What was transcoded once, kept in a folder: the same medium is asked about again and again, in
// other orders, by other models, and by programs that want a file.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "contra4/media/transcode.h"

namespace contra4::media {

// A part with the file that holds its bytes.
struct CachedPart {
  std::filesystem::path file;
  std::string words;
};

class TranscodeCache {
 public:
  // Makes the folder at the first store().
  explicit TranscodeCache(std::filesystem::path folder) : folder_(std::move(folder)) {}

  // `key`: a hash of all that decides the parts. Empty where they are not there, or no longer all.
  std::optional<std::vector<CachedPart>> find(const std::string& key) const;
  // Files whole or not at all, whoever else writes them. Throws as io::AtomicFile, kNotFound where
  // the folder cannot be made, naming CONTRA4_CACHE.
  std::vector<CachedPart> store(const std::string& key,
                                const std::vector<TranscodedPart>& parts) const;

 private:
  std::filesystem::path folder_of(const std::string& key) const;
  std::filesystem::path folder_;
};

}  // namespace contra4::media
