// Any bytes as a point cloud: refused with a message, or finite points whose colours lie in [0, 1],
// which can be drawn.
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "contra4/media/point_cloud.h"
#include "contra4/media/render.h"

namespace {

void require(bool condition) {
  if (!condition) std::abort();
}

void check(const contra4::media::PointCloud& cloud) {
  require(cloud.num_points() > 0 && cloud.xyz.size() % 3 == 0);
  require(cloud.rgb.empty() || cloud.rgb.size() == cloud.xyz.size());
  for (const float value : cloud.xyz) require(std::isfinite(value));
  for (const float value : cloud.rgb) require(value >= 0 && value <= 1);
  const auto picture =
      render_views(cloud, {.view_side = 32, .num_views = 1, .up = contra4::media::UpAxis::kY});
  require(picture.has_value() && picture->rgb.size() == std::size_t{3} * 32 * 32);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);  // NOLINT(*-cast)
  constexpr contra4::media::PointLimits kLimits{.max_points = 20'000};
  const auto cloud = contra4::media::read_point_cloud(bytes, "fuzz", kLimits);
  if (cloud) {
    check(*cloud);
  } else {
    require(!cloud.error().message.empty());
    require(cloud.error().code != contra4::ErrorCode::kInternal);
  }
  return 0;
}
