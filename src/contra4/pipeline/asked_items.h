// What models are asked about each item of a file, packed: some 500 bytes an item, so that a set of
// hundreds of thousands stays in memory while it is asked in every order.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "contra4/base/shard.h"
#include "contra4/data/item.h"

namespace contra4::pipeline {

// Views live as long as the AskedItems.
struct AskedScene {
  Modality modality = Modality::kImage;
  std::string_view source;
  std::string_view id;
  bool has_integer_id = false;
  std::string_view caption;  // the first one
};

struct AskedItem {
  std::string_view id;
  std::string_view question;
  int num_scenes = 0;
  std::array<AskedScene, kMaxScenes> storage{};
  std::span<const AskedScene> scenes() const {
    return {storage.data(), static_cast<std::size_t>(num_scenes)};
  }
};

// Why an item cannot be asked.
enum class Unaskable : std::uint8_t {
  kNot,
  kScenes,   // fewer than kMinScenes or more than kMaxScenes
  kCaption,  // a scene without one
};

class AskedItems {
 public:
  // The shard's range of the file's rows. Throws kInvalidArgument naming the first wrong rows: what
  // cannot be read, an answer beyond the scenes, an id that occurred before.
  static AskedItems load(const std::filesystem::path& path, const Shard& shard);

  std::size_t size() const { return entries_.size(); }
  // [first, last) of the file's rows.
  std::pair<std::size_t, std::size_t> rows() const { return rows_; }
  int num_scenes(std::size_t item) const { return entries_[item].num_scenes; }  // 0 if unaskable
  // The right scene; empty where the answer names none.
  std::optional<int> answer(std::size_t item) const;
  Unaskable unaskable(std::size_t item) const { return entries_[item].unaskable; }
  // A number that depends on the id alone, for shares that are the same in every shard.
  std::uint32_t id_hash(std::size_t item) const { return entries_[item].id_hash; }
  std::string_view id(std::size_t item) const;
  // Not of one that is unaskable.
  AskedItem at(std::size_t item) const;

  // By id; made when a journal is read and dropped again.
  std::unordered_map<std::string_view, std::uint32_t> by_id() const;

 private:
  struct Entry {
    const char* packed = nullptr;
    std::uint32_t id_hash = 0;
    std::uint8_t num_scenes = 0;
    std::uint8_t answer = 0;
    Unaskable unaskable = Unaskable::kNot;
  };
  void add(const Item& item);
  const char* pack(std::string_view bytes);

  std::vector<Entry> entries_;
  std::vector<std::unique_ptr<char[]>> blocks_;  // NOLINT(*-avoid-c-arrays)
  std::size_t used_ = 0;                         // of the last block
  std::size_t block_size_ = 0;
  std::pair<std::size_t, std::size_t> rows_;
};

}  // namespace contra4::pipeline
