// A scene as rules see it, without its medium: what choice rules and blind rules go by.
#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "contra4/data/item.h"

namespace contra4::scoring {

// Lives no longer than the item it looks at.
struct SceneView {
  Modality modality = Modality::kImage;
  std::string_view caption;
};

// In the order of the file.
std::vector<SceneView> scene_views(const Item& item);
// As shown: place k holds the item's scene order[k].
std::vector<SceneView> scene_views(const Item& item, std::span<const int> order);

}  // namespace contra4::scoring
