#include "contra4/data/item.h"

namespace contra4 {

std::string scene_name(int index) {
  return std::string("Scene ") + scene_letter(index);
}

std::optional<int> parse_gold_answer(std::string_view text) {
  constexpr std::string_view kPrefix = "Scene ";
  if (text.starts_with(kPrefix)) text.remove_prefix(kPrefix.size());
  if (text.empty() || text[0] < 'A' || text[0] >= 'A' + kMaxScenes) return std::nullopt;
  // A letter that begins a word ("Apple") names no scene.
  if (text.size() > 1 && text[1] != '.' && text[1] != ' ' && text[1] != ':' && text[1] != ',') {
    return std::nullopt;
  }
  return text[0] - 'A';
}

}  // namespace contra4
