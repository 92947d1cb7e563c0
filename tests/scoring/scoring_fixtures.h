// Small items by hand, and the released sets of the shared folder.
#pragma once

#include <initializer_list>
#include <string>
#include <utility>
#include <vector>

#include "contra4/data/item.h"
#include "contra4/data/item_reader.h"
#include "contra4/scoring/accuracy.h"
#include "tests/support/test_env.h"

namespace contra4::scoring {

struct SceneSpec {
  Modality modality;
  std::string medium;  // id; the source is "test"
  std::string caption = "a caption";
};

inline Item make_item(const std::string& id, std::initializer_list<SceneSpec> scenes, int answer,
                      const std::string& selection_type = "random") {
  Item item;
  item.id = {id, false};
  item.question = "Which scene?";
  for (const SceneSpec& spec : scenes) {
    Scene scene;
    scene.modality = spec.modality;
    scene.source = "test";
    scene.id = {spec.medium, false};
    scene.captions = {spec.caption};
    item.scenes.push_back(std::move(scene));
  }
  item.answer = answer;
  item.selection_type = selection_type;
  item.q_type = "mc_" + std::to_string(item.scenes.size());
  return item;
}

inline const data::Dataset& released_test() {
  static const data::Dataset kSet =
      data::load_dataset(testing::shared_dir() / "contra4/release/test.json");
  return kSet;
}
inline const data::Dataset& released_val() {
  static const data::Dataset kSet =
      data::load_dataset(testing::shared_dir() / "contra4/release/val.json");
  return kSet;
}

}  // namespace contra4::scoring
