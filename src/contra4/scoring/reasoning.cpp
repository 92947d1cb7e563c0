#include "contra4/scoring/reasoning.h"

#include <algorithm>
#include <array>

namespace contra4::scoring {

namespace {

enum class Effect { kOpen, kClose };

struct Marker {
  std::string_view text;  // lower case
  Effect effect;
};

constexpr std::array kMarkers = {
    Marker{"<think>", Effect::kOpen},
    Marker{"</think>", Effect::kClose},
    Marker{"<thinking>", Effect::kOpen},
    Marker{"</thinking>", Effect::kClose},
    Marker{"<thought>", Effect::kOpen},
    Marker{"</thought>", Effect::kClose},
    Marker{"<thoughts>", Effect::kOpen},
    Marker{"</thoughts>", Effect::kClose},
    Marker{"<reasoning>", Effect::kOpen},
    Marker{"</reasoning>", Effect::kClose},
    Marker{"<reflection>", Effect::kOpen},
    Marker{"</reflection>", Effect::kClose},
    Marker{"<scratchpad>", Effect::kOpen},
    Marker{"</scratchpad>", Effect::kClose},
    Marker{"<analysis>", Effect::kOpen},
    Marker{"</analysis>", Effect::kClose},
    Marker{"<seed:think>", Effect::kOpen},
    Marker{"</seed:think>", Effect::kClose},
    Marker{"[think]", Effect::kOpen},
    Marker{"[/think]", Effect::kClose},
    Marker{"<|begin_of_thought|>", Effect::kOpen},
    Marker{"<|end_of_thought|>", Effect::kClose},
    Marker{"<|start_thinking|>", Effect::kOpen},
    Marker{"<|end_thinking|>", Effect::kClose},
    Marker{"\xe2\x97\x81think\xe2\x96\xb7", Effect::kOpen},    // U+25C1 think U+25B7
    Marker{"\xe2\x97\x81/think\xe2\x96\xb7", Effect::kClose},  // the same with a slash
    // Channels: all but "final" are thought. The one marker is a prefix of the other, so it is
    // last.
    Marker{"<|channel|>final", Effect::kClose},
    Marker{"<|channel|>", Effect::kOpen},
};

const Marker* find_marker(std::string_view lower, std::size_t at) {
  // All markers begin with one of three bytes.
  const char first = lower[at];
  if (first != '<' && first != '[' && first != '\xe2') return nullptr;
  for (const Marker& marker : kMarkers) {
    if (lower.substr(at, marker.text.size()) == marker.text) return &marker;
  }
  return nullptr;
}

}  // namespace

std::string strip_reasoning(std::string_view reply) {
  std::string lower(reply);
  std::transform(lower.begin(), lower.end(), lower.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });

  // Servers that drop special tokens leave the names of the channels behind.
  constexpr std::string_view kBareFinal = "assistantfinal";
  if (lower.starts_with("analysis")) {
    if (const std::size_t final = lower.rfind(kBareFinal); final != std::string::npos) {
      return std::string(reply.substr(final + kBareFinal.size()));
    }
  }

  std::string kept;
  bool is_inside = false;
  for (std::size_t at = 0; at < reply.size();) {
    const Marker* marker = find_marker(lower, at);
    if (marker == nullptr) {
      if (!is_inside) kept.push_back(reply[at]);
      ++at;
      continue;
    }
    if (marker->effect == Effect::kClose && !is_inside) kept.clear();
    is_inside = marker->effect == Effect::kOpen;
    at += marker->text.size();
  }
  return kept;
}

}  // namespace contra4::scoring
