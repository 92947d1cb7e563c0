#include "contra4/pipeline/asked_items.h"

#include <algorithm>
#include <cstring>
#include <string>
#include <unordered_set>

#include <fmt/format.h>

#include "contra4/base/error.h"
#include "contra4/base/hash.h"
#include "contra4/data/item_reader.h"
#include "contra4/scoring/choice_rule.h"
#include "contra4/scoring/scene_view.h"

namespace contra4::pipeline {

namespace {

constexpr std::size_t kBlockBytes = 4U << 20;
constexpr std::size_t kMaxNamedRows = 10;
constexpr std::uint8_t kNoAnswer = 0xff;

void append_text(std::string& out, std::string_view text) {
  const auto size = static_cast<std::uint32_t>(text.size());
  std::array<char, sizeof size> bytes{};
  std::memcpy(bytes.data(), &size, sizeof size);
  out.append(bytes.data(), bytes.size());
  out += text;
}

std::string_view take_text(const char*& at) {
  std::uint32_t size = 0;
  std::memcpy(&size, at, sizeof size);
  const std::string_view text(at + sizeof size, size);
  at += sizeof size + size;
  return text;
}

// A model wrote the answer, in words that the strict reader may not take.
std::optional<int> answer_of(const Item& item) {
  if (item.answer || item.answer_text.empty() || item.scenes.empty()) return item.answer;
  return scoring::parse_choice(item.answer_text, scoring::scene_views(item)).index;
}

Unaskable unaskable_of(const Item& item) {
  if (item.num_scenes() < kMinScenes || item.num_scenes() > kMaxScenes) return Unaskable::kScenes;
  const bool is_mute = std::any_of(item.scenes.begin(), item.scenes.end(),
                                   [](const Scene& scene) { return scene.caption().empty(); });
  return is_mute ? Unaskable::kCaption : Unaskable::kNot;
}

class WrongRows {
 public:
  void add(std::string message) {
    if (++count_ <= kMaxNamedRows) text_ += "\n  " + std::move(message);
  }
  void throw_if_any(const std::filesystem::path& path) const {
    if (count_ == 0) return;
    throw Exception(ErrorCode::kInvalidArgument,
                    fmt::format("{}: {} wrong row{}; `contra4 dataset check` lists them all{}",
                                path.string(), count_, count_ == 1 ? "" : "s", text_));
  }

 private:
  std::size_t count_ = 0;
  std::string text_;
};

}  // namespace

AskedItems AskedItems::load(const std::filesystem::path& path, const Shard& shard) {
  AskedItems items;
  WrongRows wrong;
  std::unordered_set<std::string> ids;
  const auto reader = data::open_items(path, {}, data::Extras::kDrop);
  while (auto row = reader->next()) {
    if (!*row) {
      wrong.add(row->error().message);
    } else if (!ids.insert((*row)->id.text).second) {
      wrong.add(fmt::format("{}: row {} (id {}): the id occurred before", path.string(),
                            reader->row(), (*row)->id.text));
    } else {
      items.add(**row);
    }
  }
  wrong.throw_if_any(path);
  items.rows_ = shard.range(items.entries_.size());
  const auto begin = items.entries_.begin();
  items.entries_.erase(begin + static_cast<std::ptrdiff_t>(items.rows_.second),
                       items.entries_.end());
  items.entries_.erase(begin, begin + static_cast<std::ptrdiff_t>(items.rows_.first));
  items.entries_.shrink_to_fit();
  return items;
}

void AskedItems::add(const Item& item) {
  Entry entry;
  entry.unaskable = unaskable_of(item);
  std::string packed;
  append_text(packed, item.id.text);
  if (entry.unaskable == Unaskable::kNot) {
    entry.num_scenes = static_cast<std::uint8_t>(item.num_scenes());
    append_text(packed, item.question);
    for (const Scene& scene : item.scenes) {
      packed.push_back(static_cast<char>(scene.modality));
      packed.push_back(scene.id.is_integer ? '\1' : '\0');
      append_text(packed, scene.source);
      append_text(packed, scene.id.text);
      append_text(packed, scene.caption());
    }
  }
  const auto answer = answer_of(item);
  entry.answer = answer ? static_cast<std::uint8_t>(*answer) : kNoAnswer;
  entry.id_hash = static_cast<std::uint32_t>(stable_hash64(item.id.text));
  entry.packed = pack(packed);
  entries_.push_back(entry);
}

const char* AskedItems::pack(std::string_view bytes) {
  if (blocks_.empty() || block_size_ - used_ < bytes.size()) {
    block_size_ = std::max(kBlockBytes, bytes.size());
    blocks_.push_back(std::make_unique<char[]>(block_size_));  // NOLINT(*-avoid-c-arrays)
    used_ = 0;
  }
  char* const begin = blocks_.back().get() + used_;
  std::memcpy(begin, bytes.data(), bytes.size());
  used_ += bytes.size();
  return begin;
}

std::optional<int> AskedItems::answer(std::size_t item) const {
  if (entries_[item].answer == kNoAnswer) return std::nullopt;
  return entries_[item].answer;
}

std::string_view AskedItems::id(std::size_t item) const {
  const char* at = entries_[item].packed;
  return take_text(at);
}

AskedItem AskedItems::at(std::size_t item) const {
  CONTRA4_CHECK(entries_[item].unaskable == Unaskable::kNot, "an item that cannot be asked");
  const char* at = entries_[item].packed;
  AskedItem asked;
  asked.id = take_text(at);
  asked.question = take_text(at);
  asked.num_scenes = entries_[item].num_scenes;
  for (int i = 0; i < asked.num_scenes; ++i) {
    AskedScene& scene = asked.storage[static_cast<std::size_t>(i)];
    scene.modality = static_cast<Modality>(*at++);
    scene.has_integer_id = *at++ != '\0';
    scene.source = take_text(at);
    scene.id = take_text(at);
    scene.caption = take_text(at);
  }
  return asked;
}

std::unordered_map<std::string_view, std::uint32_t> AskedItems::by_id() const {
  std::unordered_map<std::string_view, std::uint32_t> numbers;
  numbers.reserve(entries_.size());
  for (std::size_t item = 0; item < entries_.size(); ++item) {
    numbers.emplace(id(item), static_cast<std::uint32_t>(item));
  }
  return numbers;
}

}  // namespace contra4::pipeline
