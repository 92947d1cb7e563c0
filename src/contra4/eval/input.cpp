#include "contra4/eval/input.h"

#include <algorithm>
#include <array>
#include <string>
#include <unordered_set>
#include <utility>

#include <fmt/format.h>

#include "contra4/base/hash.h"
#include "contra4/base/random.h"

namespace contra4::eval {

namespace {

constexpr std::array kKinds = {InputKind::kMedia, InputKind::kOracleCaptions,
                               InputKind::kPredictedCaptions, InputKind::kRandomCaptions,
                               InputKind::kNone};

ShownScene shown_scene(const Scene& scene) {
  return {.modality = scene.modality,
          .source = scene.source,
          .id = scene.id,
          .caption = {},
          .media = {}};
}

std::string medium_name(std::string_view source, const RecordId& id) {
  return fmt::format("{}\x1f{}", source, id.text);
}

Error missing(const Item& item, std::size_t scene, std::string_view what) {
  return {ErrorCode::kNotFound,
          fmt::format("item '{}', {} ({} {} '{}'): {}", item.id.text,
                      scene_name(static_cast<int>(scene)), to_string(item.scenes[scene].modality),
                      item.scenes[scene].source, item.scenes[scene].id.text, what)};
}

class GoldCaptions final : public SceneSource {
 public:
  InputKind kind() const override { return InputKind::kOracleCaptions; }
  Result<std::vector<ShownScene>> scenes_of(const Item& item) const override {
    std::vector<ShownScene> scenes;
    for (std::size_t i = 0; i < item.scenes.size(); ++i) {
      if (item.scenes[i].caption().empty()) return missing(item, i, "has no caption in the set");
      scenes.push_back(shown_scene(item.scenes[i]));
      scenes.back().caption = item.scenes[i].caption();
    }
    return scenes;
  }
};

class PredictedCaptions final : public SceneSource {
 public:
  explicit PredictedCaptions(data::CaptionTable captions) : captions_(std::move(captions)) {}
  InputKind kind() const override { return InputKind::kPredictedCaptions; }
  Result<std::vector<ShownScene>> scenes_of(const Item& item) const override {
    std::vector<ShownScene> scenes;
    for (std::size_t i = 0; i < item.scenes.size(); ++i) {
      const Scene& scene = item.scenes[i];
      const std::string* const caption = captions_.find(scene.source, scene.id);
      if (caption == nullptr || caption->empty()) {
        return missing(item, i, "has no caption in the file of --captions");
      }
      scenes.push_back(shown_scene(scene));
      scenes.back().caption = *caption;
    }
    return scenes;
  }

 private:
  data::CaptionTable captions_;
};

class RandomCaptions final : public SceneSource {
 public:
  RandomCaptions(std::span<const Item> items, std::uint64_t seed) : seed_(seed) {
    std::unordered_set<std::string> seen;
    for (const Item& item : items) {
      for (const Scene& scene : item.scenes) {
        std::string name = medium_name(scene.source, scene.id);
        if (scene.caption().empty() || !seen.insert(name).second) continue;
        pool(scene.modality).push_back({std::move(name), std::string(scene.caption())});
      }
    }
  }

  InputKind kind() const override { return InputKind::kRandomCaptions; }

  Result<std::vector<ShownScene>> scenes_of(const Item& item) const override {
    Random random(stable_hash64(fmt::format("{}\x1f{}\x1frandom-captions", seed_, item.id.text)));
    std::vector<std::string> taken;
    for (const Scene& scene : item.scenes) taken.push_back(medium_name(scene.source, scene.id));
    std::vector<ShownScene> scenes;
    for (std::size_t i = 0; i < item.scenes.size(); ++i) {
      const Candidate* const candidate = draw(item.scenes[i].modality, taken, random);
      if (candidate == nullptr) {
        return missing(item, i, "no other item has a caption of this modality");
      }
      taken.push_back(candidate->medium);
      scenes.push_back(shown_scene(item.scenes[i]));
      scenes.back().caption = candidate->caption;
    }
    return scenes;
  }

 private:
  struct Candidate {
    std::string medium;
    std::string caption;
  };
  using Pool = std::vector<Candidate>;

  Pool& pool(Modality modality) { return pools_[static_cast<std::size_t>(modality)]; }

  // Uniform over the candidates that are not taken; null when all are. At most eight are taken, so
  // in a pool that is larger by far a few draws suffice.
  const Candidate* draw(Modality modality, const std::vector<std::string>& taken,
                        Random& random) const {
    const Pool& candidates = pools_[static_cast<std::size_t>(modality)];
    const auto is_free = [&](const Candidate& candidate) {
      return std::find(taken.begin(), taken.end(), candidate.medium) == taken.end();
    };
    if (candidates.size() > 8 * taken.size()) {
      while (true) {
        const Candidate& candidate = candidates[random.below(candidates.size())];
        if (is_free(candidate)) return &candidate;
      }
    }
    std::vector<const Candidate*> free;
    for (const Candidate& candidate : candidates) {
      if (is_free(candidate)) free.push_back(&candidate);
    }
    return free.empty() ? nullptr : free[random.below(free.size())];
  }

  std::uint64_t seed_;
  std::array<Pool, kModalities.size()> pools_;  // distinct media in order of first mention
};

class NoInput final : public SceneSource {
 public:
  InputKind kind() const override { return InputKind::kNone; }
  Result<std::vector<ShownScene>> scenes_of(const Item& item) const override {
    std::vector<ShownScene> scenes;
    for (const Scene& scene : item.scenes) scenes.push_back(shown_scene(scene));
    return scenes;
  }
};

class MediaInput final : public SceneSource {
 public:
  explicit MediaInput(media::MediaLocator locator) : locator_(std::move(locator)) {}
  InputKind kind() const override { return InputKind::kMedia; }
  Result<std::vector<ShownScene>> scenes_of(const Item& item) const override {
    std::vector<ShownScene> scenes;
    for (std::size_t i = 0; i < item.scenes.size(); ++i) {
      const Scene& scene = item.scenes[i];
      auto file = locator_.locate(scene.source, scene.id, scene.modality);
      if (!file) {
        Error error = missing(item, i, file.error().message);
        error.code = file.error().code;
        return error;
      }
      scenes.push_back(shown_scene(scene));
      scenes.back().media = std::move(*file);
    }
    return scenes;
  }

 private:
  media::MediaLocator locator_;
};

}  // namespace

std::string_view to_string(InputKind kind) {
  switch (kind) {
    case InputKind::kMedia:
      return "media";
    case InputKind::kOracleCaptions:
      return "oracle-captions";
    case InputKind::kPredictedCaptions:
      return "predicted-captions";
    case InputKind::kRandomCaptions:
      return "random-captions";
    case InputKind::kNone:
      break;
  }
  return "none";
}

std::optional<InputKind> parse_input_kind(std::string_view text) {
  std::string name(text);
  std::replace(name.begin(), name.end(), '_', '-');
  for (const InputKind kind : kKinds) {
    if (name == to_string(kind)) return kind;
  }
  return std::nullopt;
}

InputKind default_input(InputNeed need) {
  switch (need) {
    case InputNeed::kNothing:
      return InputKind::kNone;
    case InputNeed::kCaptions:
      return InputKind::kOracleCaptions;
    case InputNeed::kMedia:
    case InputNeed::kEither:
      break;
  }
  return InputKind::kMedia;
}

void check_input(InputNeed need, InputKind kind) {
  const bool is_caption_input = kind != InputKind::kMedia && kind != InputKind::kNone;
  if (need == InputNeed::kCaptions && !is_caption_input) {
    throw Exception(ErrorCode::kInvalidArgument,
                    fmt::format("this model reads captions; --input {} shows it none: use "
                                "oracle-captions, predicted-captions or random-captions",
                                to_string(kind)));
  }
  if (need == InputNeed::kMedia && is_caption_input) {
    throw Exception(
        ErrorCode::kInvalidArgument,
        fmt::format("this model looks at media and cannot read captions; --input {} does not "
                    "fit: use media or none",
                    to_string(kind)));
  }
}

std::unique_ptr<SceneSource> show_gold_captions() {
  return std::make_unique<GoldCaptions>();
}

std::unique_ptr<SceneSource> show_predicted_captions(data::CaptionTable captions) {
  return std::make_unique<PredictedCaptions>(std::move(captions));
}

std::unique_ptr<SceneSource> show_random_captions(std::span<const Item> items, std::uint64_t seed) {
  return std::make_unique<RandomCaptions>(items, seed);
}

std::unique_ptr<SceneSource> show_nothing() {
  return std::make_unique<NoInput>();
}

std::unique_ptr<SceneSource> show_media(media::MediaLocator locator) {
  return std::make_unique<MediaInput>(std::move(locator));
}

std::vector<media::MediumKey> media_of(std::span<const Item> items) {
  std::vector<media::MediumKey> keys;
  std::unordered_set<std::string> seen;
  for (const Item& item : items) {
    for (const Scene& scene : item.scenes) {
      if (seen.insert(medium_name(scene.source, scene.id)).second) {
        keys.push_back({scene.source, scene.id, scene.modality});
      }
    }
  }
  return keys;
}

}  // namespace contra4::eval
