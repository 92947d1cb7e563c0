// One question of a Contra4 data set, whatever schema it was read from.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "contra4/data/modality.h"
#include "contra4/data/record_id.h"

namespace contra4 {

inline constexpr int kMinScenes = 2;
inline constexpr int kMaxScenes = 4;

// "A" for 0; index in [0, 26).
inline char scene_letter(int index) {
  return static_cast<char>('A' + index);
}
// "Scene A" for 0.
std::string scene_name(int index);
// "Scene B", "B", "Scene B. because": the index; empty when it names no scene. Strict: for gold
// answers in files; replies of models are read by scoring/.
std::optional<int> parse_gold_answer(std::string_view text);

// Members that no reader interprets (meta, url, and whatever a user added), name and JSON text in
// the order of the file, so that a conversion loses nothing.
using ExtraMembers = std::vector<std::pair<std::string, std::string>>;

// A medium is identified by (source, id).
struct Scene {
  Modality modality = Modality::kImage;
  std::string source;
  RecordId id;
  std::vector<std::string> captions;  // empty when the file has none; models see captions[0]
  bool captions_were_list = false;
  ExtraMembers extra;

  std::string_view caption() const {
    return captions.empty() ? std::string_view() : std::string_view(captions[0]);
  }
};

struct Item {
  RecordId id;
  std::string question;        // empty for a tuple, which has no answer either
  std::vector<Scene> scenes;   // kMinScenes..kMaxScenes of them once checked
  std::optional<int> answer;   // index into scenes; empty for an unlabelled set
  std::string answer_text;     // as it stood in the file: "B", "Scene B", "Scene B. reason"
  std::string selection_type;  // "random" or "similarity"
  std::string q_type;          // "mc_2", "mc_3", "mc_4"
  std::string category;        // empty when the file has none
  ExtraMembers extra;

  int num_scenes() const { return static_cast<int>(scenes.size()); }
};

}  // namespace contra4
