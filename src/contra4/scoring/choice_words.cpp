#include "contra4/scoring/choice_words.h"

#include <algorithm>
#include <array>
#include <iterator>
#include <optional>

namespace contra4::scoring {

std::string squash(const ReplyTokens& tokens) {
  std::string words;
  for (std::size_t at = 0; at < tokens.size(); ++at) {
    if (!tokens[at].is_word()) continue;
    if (!words.empty()) words.push_back(' ');
    words += tokens[at].text;
  }
  return words;
}

std::string squash(std::string_view text) {
  return squash(ReplyTokens(normalise_reply(text)));
}

std::vector<int> captions_in(const std::string& reply, std::span<const SceneView> shown) {
  std::vector<int> equal;
  std::vector<int> held;
  std::vector<std::string> captions;
  for (const SceneView& scene : shown) captions.push_back(squash(scene.caption));
  const auto holds = [](const std::string& text, const std::string& words) {
    return (" " + text + " ").find(" " + words + " ") != std::string::npos;
  };
  for (std::size_t i = 0; i < captions.size(); ++i) {
    if (captions[i].empty()) continue;
    if (captions[i] == reply) equal.push_back(static_cast<int>(i));
    // One word may be there by chance.
    if (captions[i].find(' ') == std::string::npos) continue;
    if (holds(reply, captions[i])) held.push_back(static_cast<int>(i));
  }
  if (!equal.empty()) return equal;
  std::vector<int> outermost;
  std::copy_if(held.begin(), held.end(), std::back_inserter(outermost), [&](int place) {
    const std::string& caption = captions[static_cast<std::size_t>(place)];
    return std::none_of(held.begin(), held.end(), [&](int other) {
      const std::string& longer = captions[static_cast<std::size_t>(other)];
      return longer.size() > caption.size() && holds(longer, caption);
    });
  });
  return outermost;
}

std::vector<int> modality_named(const ReplyTokens& tokens, std::span<const SceneView> shown) {
  struct Word {
    std::string_view word;
    std::optional<Modality> modality;
  };
  static constexpr std::array kWords = {
      Word{"audio", Modality::kAudio},
      Word{"sound", Modality::kAudio},
      Word{"recording", Modality::kAudio},
      Word{"video", Modality::kVideo},
      Word{"footage", Modality::kVideo},
      Word{"image", Modality::kImage},
      Word{"picture", Modality::kImage},
      Word{"photo", Modality::kImage},
      Word{"photograph", Modality::kImage},
      Word{"3d", Modality::kPointCloud},
      Word{"cloud", Modality::kPointCloud},
      Word{"pointcloud", Modality::kPointCloud},
      Word{"point", Modality::kPointCloud},
      Word{"the", std::nullopt},
      Word{"scene", std::nullopt},
      Word{"clip", std::nullopt},
      Word{"one", std::nullopt},
      Word{"file", std::nullopt},
      Word{"model", std::nullopt},
      Word{"object", std::nullopt},
      Word{"option", std::nullopt},
  };
  constexpr std::size_t kMaxWords = 6;
  std::optional<Modality> named;
  std::size_t num_words = 0;
  for (std::size_t at = 0; at < tokens.size(); ++at) {
    if (!tokens[at].is_word()) continue;
    const auto* word = std::find_if(kWords.begin(), kWords.end(),
                                    [&](const Word& w) { return w.word == tokens[at].text; });
    if (word == kWords.end() || ++num_words > kMaxWords) return {};
    if (word->modality && named && *named != *word->modality) return {};
    if (word->modality) named = word->modality;
  }
  std::vector<int> places;
  for (std::size_t i = 0; named && i < shown.size(); ++i) {
    if (shown[i].modality == *named) places.push_back(static_cast<int>(i));
  }
  return places;
}

}  // namespace contra4::scoring
