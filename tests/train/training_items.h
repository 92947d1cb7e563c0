// Questions to learn from, as `contra4 finetune` hands them to a training.
#pragma once

#include <array>
#include <string>
#include <utility>
#include <vector>

#include "contra4/inference/finetune.h"
#include "tests/support/test_env.h"

namespace contra4::train {

inline void add_scene(TrainingItem& item, Modality modality, const std::string& file) {
  Scene& scene = item.item.scenes.emplace_back();
  scene.modality = modality;
  scene.source = "mini";
  scene.id.text = file;
  item.media.push_back(testing::mini_dir() / "media" / std::string(to_string(modality)) / file);
}

// Over real files of data/mini, quick to train on: two pictures and a video, whose way through CLIP
// is not learnt, and which a batch shows once. Every other question is of the second of two groups
// of modalities.
inline std::vector<TrainingItem> picture_items(int count) {
  constexpr std::array kPictures = {"102.png", "105.png"};
  constexpr std::array kVideos = {"ball.mp4"};
  std::vector<TrainingItem> items;
  for (int i = 0; i < count; ++i) {
    const auto number = static_cast<std::size_t>(i);
    TrainingItem& item = items.emplace_back();
    item.item.id.text = "item_" + std::to_string(i);
    item.item.question = "Which scene shows number " + std::to_string(i) + "?";
    item.item.answer = i / 2 % 2;
    item.item.answer_text = i / 2 % 2 == 0 ? "Scene A" : "Scene B";
    add_scene(item, Modality::kImage, kPictures[number % kPictures.size()]);
    if (i % 2 == 0) {
      add_scene(item, Modality::kImage, kPictures[(number + 1) % kPictures.size()]);
    } else {
      add_scene(item, Modality::kVideo, kVideos[number % kVideos.size()]);
    }
  }
  return items;
}

// Of all four modalities, one question.
inline TrainingItem mixed_item() {
  TrainingItem item = picture_items(2).back();
  item.item.id.text = "mixed";
  add_scene(item, Modality::kAudio, "dog.wav");
  add_scene(item, Modality::kPointCloud, "mug_8192.npz");
  return item;
}

}  // namespace contra4::train
