// Captioned media in memory: what tuples are drawn from.
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <stop_token>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "contra4/data/item.h"
#include "contra4/data/modality.h"

namespace contra4::pipeline {

// The captions of one modality in the order of their sources. A medium with several captions in
// rows of their own (COCO) is several entries.
struct EntryPool {
  std::vector<Scene> entries;
  std::vector<std::uint32_t> media;  // of each entry: a number per distinct (source, id)
};

class Corpus {
 public:
  void add(Scene scene);

  const EntryPool& pool(Modality modality) const {
    return pools_[static_cast<std::size_t>(modality)];
  }
  std::size_t size() const;
  std::size_t num_media() const { return media_.size(); }
  std::size_t num_media(Modality modality) const;  // distinct ones of that modality

 private:
  std::array<EntryPool, kModalities.size()> pools_;
  std::unordered_map<std::string, std::uint32_t> media_;
};

// Names a medium in a set of texts.
std::string medium_key(std::string_view source, std::string_view id);

// Media of other data sets, of which none is to be drawn.
class ExcludedMedia {
 public:
  // Adds those of a data set in any schema. Throws kInvalidArgument for a row that is no item,
  // kDataLoss for a file that is cut: media would stay unseen.
  void add_file(const std::filesystem::path& path, std::stop_token stop = {});
  bool contains(std::string_view source, std::string_view id) const;
  std::size_t size() const { return keys_.size(); }

 private:
  std::unordered_set<std::string> keys_;
};

}  // namespace contra4::pipeline
