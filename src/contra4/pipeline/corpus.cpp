#include "contra4/pipeline/corpus.h"

#include <utility>

#include "contra4/base/error.h"
#include "contra4/data/item_reader.h"

namespace contra4::pipeline {

std::string medium_key(std::string_view source, std::string_view id) {
  std::string key;
  key.reserve(source.size() + id.size() + 1);
  return key.append(source).append(1, '\x1f').append(id);
}

void Corpus::add(Scene scene) {
  EntryPool& pool = pools_[static_cast<std::size_t>(scene.modality)];
  const auto number = static_cast<std::uint32_t>(media_.size());
  const auto medium = media_.try_emplace(medium_key(scene.source, scene.id.text), number).first;
  pool.media.push_back(medium->second);
  pool.entries.push_back(std::move(scene));
}

std::size_t Corpus::size() const {
  std::size_t size = 0;
  for (const EntryPool& pool : pools_) size += pool.entries.size();
  return size;
}

std::size_t Corpus::num_media(Modality modality) const {
  const auto& media = pool(modality).media;
  return std::unordered_set<std::uint32_t>(media.begin(), media.end()).size();
}

void ExcludedMedia::add_file(const std::filesystem::path& path, std::stop_token stop) {
  const auto items = data::open_items(path, {}, data::Extras::kDrop);
  while (const auto item = items->next()) {
    if (stop.stop_requested()) throw Exception(ErrorCode::kCancelled, "interrupted");
    if (!*item) throw Exception(item->error());
    for (const Scene& scene : (*item)->scenes) {
      keys_.insert(medium_key(scene.source, scene.id.text));
    }
  }
}

bool ExcludedMedia::contains(std::string_view source, std::string_view id) const {
  return keys_.contains(medium_key(source, id));
}

}  // namespace contra4::pipeline
