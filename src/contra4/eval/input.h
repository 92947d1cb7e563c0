// What a model is shown of an item's scenes: the media, one of several kinds of captions, nothing.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "contra4/base/error.h"
#include "contra4/data/caption_table.h"
#include "contra4/data/item.h"
#include "contra4/inference/answerer.h"
#include "contra4/media/locate.h"

namespace contra4::eval {

enum class InputKind { kMedia, kOracleCaptions, kPredictedCaptions, kRandomCaptions, kNone };

// "media", "oracle-captions", "predicted-captions", "random-captions", "none"; underscores too.
std::string_view to_string(InputKind kind);
std::optional<InputKind> parse_input_kind(std::string_view text);

// What a model gets unless told otherwise: media when it can see them, else the gold captions.
InputKind default_input(InputNeed need);
// Throws kInvalidArgument for a model that needs captions and is shown none, and for one that needs
// media and is given captions.
void check_input(InputNeed need, InputKind kind);

class SceneSource {
 public:
  virtual ~SceneSource() = default;
  virtual InputKind kind() const = 0;
  // The scenes in the item's own order, the same ones at every call; or why the item cannot be
  // shown (kNotFound: no caption, no file), which leaves it unasked and counted apart.
  virtual Result<std::vector<ShownScene>> scenes_of(const Item& item) const = 0;
};

std::unique_ptr<SceneSource> show_gold_captions();
std::unique_ptr<SceneSource> show_predicted_captions(data::CaptionTable captions);
// Each scene with the caption of another item's medium of the same modality, drawn by `seed` and
// the item's id alone: a shard sees what the whole run sees. Never the caption of a medium of the
// item, never one medium twice in an item. `items` is the whole set.
std::unique_ptr<SceneSource> show_random_captions(std::span<const Item> items, std::uint64_t seed);
std::unique_ptr<SceneSource> show_nothing();
std::unique_ptr<SceneSource> show_media(media::MediaLocator locator);

// The distinct media of the items, for media::find_missing_media before a run.
std::vector<media::MediumKey> media_of(std::span<const Item> items);

}  // namespace contra4::eval
