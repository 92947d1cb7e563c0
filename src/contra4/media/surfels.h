// A point cloud as small discs that cover its surface, ready to be drawn.
#pragma once

#include <array>
#include <vector>

#include "contra4/media/near_points.h"
#include "contra4/media/point_cloud.h"

namespace contra4::media {

struct Surfel {
  Point centre{};  // in a ball of radius 1 around the middle of the object, z up
  Point normal{};  // of length 1, either side; zero where there are too few points to tell
  float radius = 0;
  Point colour{};  // in [0, 1]; unused unless the cloud has colours
};

enum class UpAxis { kY, kZ };

// At most 120,000 discs: where points lie closer than a picture can show, one stands for all.
// Normals are those of the plane through the nearest points, radii follow the distance to them, so
// that thin and thick parts both close. Points far off the rest are left out of the middle and the
// scale. Always the same for the same cloud; all numbers of the cloud have to be finite.
std::vector<Surfel> make_surfels(const PointCloud& cloud, UpAxis up);

}  // namespace contra4::media
