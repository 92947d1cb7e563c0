#include "contra4/scoring/scene_view.h"

#include "contra4/base/error.h"

namespace contra4::scoring {

std::vector<SceneView> scene_views(const Item& item) {
  std::vector<SceneView> views;
  views.reserve(item.scenes.size());
  for (const Scene& scene : item.scenes) views.push_back({scene.modality, scene.caption()});
  return views;
}

std::vector<SceneView> scene_views(const Item& item, std::span<const int> order) {
  std::vector<SceneView> views;
  views.reserve(order.size());
  for (const int index : order) {
    CONTRA4_CHECK(index >= 0 && index < item.num_scenes(), "order names a scene the item lacks");
    const Scene& scene = item.scenes[static_cast<std::size_t>(index)];
    views.push_back({scene.modality, scene.caption()});
  }
  return views;
}

}  // namespace contra4::scoring
