#include "contra4/media/surfels.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <unordered_set>

namespace contra4::media {

namespace {

using Vector = std::array<double, 3>;

constexpr std::size_t kMaxSurfels = 120'000;
constexpr double kCellsAcross = 400;  // more than a view has pixels
constexpr std::size_t kNumNeighbors = 12;

Vector place_of(const PointCloud& cloud, std::size_t row, UpAxis up) {
  const float* const p = &cloud.xyz[3 * row];
  if (up == UpAxis::kZ) return {p[0], p[1], p[2]};
  return {p[0], -static_cast<double>(p[2]), p[1]};
}

double value_at(std::vector<double>& values, double share) {
  const auto at = static_cast<std::ptrdiff_t>(share * static_cast<double>(values.size() - 1));
  std::nth_element(values.begin(), values.begin() + at, values.end());
  return values[static_cast<std::size_t>(at)];
}

struct Frame {
  Vector centre{};
  double scale = 1;
};

// The ball around the box of all points that lie no further than three times as far from the median
// as nearly all do: a stray point does not make the object small.
Frame frame_of(const PointCloud& cloud, UpAxis up) {
  constexpr double kNearlyAll = 0.99;
  constexpr double kStrayFactor = 3;
  const std::size_t count = cloud.num_points();
  Vector median{};
  std::vector<double> values(count);
  for (std::size_t axis = 0; axis < 3; ++axis) {
    for (std::size_t i = 0; i < count; ++i) values[i] = place_of(cloud, i, up)[axis];
    median[axis] = value_at(values, 0.5);
  }
  const auto distance = [](const Vector& a, const Vector& b) {
    return std::hypot(a[0] - b[0], a[1] - b[1], a[2] - b[2]);
  };
  for (std::size_t i = 0; i < count; ++i) values[i] = distance(place_of(cloud, i, up), median);
  const double reach = kStrayFactor * value_at(values, kNearlyAll);
  Vector low = median;
  Vector high = median;
  for (std::size_t i = 0; i < count; ++i) {
    const Vector place = place_of(cloud, i, up);
    if (distance(place, median) > reach) continue;
    for (std::size_t axis = 0; axis < 3; ++axis) {
      low[axis] = std::min(low[axis], place[axis]);
      high[axis] = std::max(high[axis], place[axis]);
    }
  }
  Frame frame;
  for (std::size_t axis = 0; axis < 3; ++axis) frame.centre[axis] = (low[axis] + high[axis]) / 2;
  double radius = 0;
  for (std::size_t i = 0; i < count; ++i) {
    const Vector place = place_of(cloud, i, up);
    if (distance(place, median) <= reach) radius = std::max(radius, distance(place, frame.centre));
  }
  frame.scale = radius > 0 ? 1 / radius : 1;
  return frame;
}

// The first point of each small cell, then evenly many of those.
std::vector<Surfel> thinned(const PointCloud& cloud, UpAxis up) {
  constexpr double kFarthest = 4;  // strays beyond are not to be seen
  const Frame frame = frame_of(cloud, up);
  std::unordered_set<std::uint64_t> taken;
  std::vector<Surfel> surfels;
  for (std::size_t i = 0; i < cloud.num_points(); ++i) {
    const Vector place = place_of(cloud, i, up);
    Surfel surfel;
    std::uint64_t cell = 0;
    bool is_near = true;
    for (std::size_t axis = 0; axis < 3; ++axis) {
      const double value = (place[axis] - frame.centre[axis]) * frame.scale;
      is_near = is_near && std::abs(value) < kFarthest;
      if (!is_near) break;
      surfel.centre[axis] = static_cast<float>(value);
      cell = cell << 21U | static_cast<std::uint64_t>((value + kFarthest) / 2 * kCellsAcross);
    }
    if (!is_near || !taken.insert(cell).second) continue;
    if (!cloud.rgb.empty()) {
      surfel.colour = {cloud.rgb[3 * i], cloud.rgb[3 * i + 1], cloud.rgb[3 * i + 2]};
    }
    surfels.push_back(surfel);
  }
  if (surfels.size() <= kMaxSurfels) return surfels;
  std::vector<Surfel> fewer;
  fewer.reserve(kMaxSurfels);
  for (std::size_t i = 0; i < kMaxSurfels; ++i) {
    fewer.push_back(surfels[i * surfels.size() / kMaxSurfels]);
  }
  return fewer;
}

// The direction in which points scatter least: the eigenvector of the least eigenvalue of their
// covariance, by Jacobi's rotations. Zero for points on a line.
Point plane_normal(const std::vector<NearPoints::Neighbor>& near, std::span<const Point> places) {
  if (near.size() < 3) return {};
  Vector mean{};
  for (const auto& neighbor : near) {
    for (std::size_t i = 0; i < 3; ++i) mean[i] += places[neighbor.index][i];
  }
  for (double& value : mean) value /= static_cast<double>(near.size());
  std::array<Vector, 3> a{};
  for (const auto& neighbor : near) {
    Vector d{};
    for (std::size_t i = 0; i < 3; ++i) d[i] = places[neighbor.index][i] - mean[i];
    for (std::size_t i = 0; i < 3; ++i) {
      for (std::size_t j = 0; j < 3; ++j) a[i][j] += d[i] * d[j];
    }
  }
  std::array<Vector, 3> v = {{{1, 0, 0}, {0, 1, 0}, {0, 0, 1}}};
  for (int sweep = 0; sweep < 8; ++sweep) {
    for (const auto& [p, q] : {std::pair{0U, 1U}, std::pair{0U, 2U}, std::pair{1U, 2U}}) {
      if (std::abs(a[p][q]) < 1e-30) continue;
      const double theta = (a[q][q] - a[p][p]) / (2 * a[p][q]);
      const double t = (theta < 0 ? -1 : 1) / (std::abs(theta) + std::sqrt(theta * theta + 1));
      const double c = 1 / std::sqrt(t * t + 1);
      const double s = t * c;
      for (std::size_t k = 0; k < 3; ++k) {
        const double akp = a[k][p];
        const double akq = a[k][q];
        a[k][p] = c * akp - s * akq;
        a[k][q] = s * akp + c * akq;
      }
      for (std::size_t k = 0; k < 3; ++k) {
        const double apk = a[p][k];
        const double aqk = a[q][k];
        a[p][k] = c * apk - s * aqk;
        a[q][k] = s * apk + c * aqk;
      }
      for (std::size_t k = 0; k < 3; ++k) {
        const double vkp = v[k][p];
        const double vkq = v[k][q];
        v[k][p] = c * vkp - s * vkq;
        v[k][q] = s * vkp + c * vkq;
      }
    }
  }
  std::array<std::size_t, 3> order = {0, 1, 2};
  std::sort(order.begin(), order.end(), [&](std::size_t i, std::size_t j) {
    return a[i][i] < a[j][j] || (a[i][i] == a[j][j] && i < j);
  });
  constexpr double kLineShare = 1e-3;  // of the longest direction
  if (!(a[order[1]][order[1]] > kLineShare * a[order[2]][order[2]])) return {};
  const std::size_t least = order[0];
  return {static_cast<float>(v[0][least]), static_cast<float>(v[1][least]),
          static_cast<float>(v[2][least])};
}

}  // namespace

std::vector<Surfel> make_surfels(const PointCloud& cloud, UpAxis up) {
  constexpr float kLeastRadius = 0.006F;
  constexpr float kRadiusOfOne = 0.06F;
  constexpr float kMostRadius = 0.05F;
  constexpr std::size_t kRingPlace = 7;  // this neighbour's distance is about twice the spacing
  std::vector<Surfel> surfels = thinned(cloud, up);
  std::vector<Point> places;
  places.reserve(surfels.size());
  for (const Surfel& surfel : surfels) places.push_back(surfel.centre);
  const NearPoints tree(places);
  std::vector<NearPoints::Neighbor> near;
  std::vector<float> radii;
  for (Surfel& surfel : surfels) {
    tree.find(surfel.centre, kNumNeighbors, near);
    surfel.normal = plane_normal(near, places);
    const auto& ring = near[std::min(kRingPlace, near.size() - 1)];
    surfel.radius = surfels.size() == 1 ? kRadiusOfOne : std::sqrt(ring.squared_distance);
    radii.push_back(surfel.radius);
  }
  if (surfels.size() < 2) return surfels;
  // Lonely points are not to become blots.
  const auto middle = radii.begin() + static_cast<std::ptrdiff_t>(radii.size() / 2);
  std::nth_element(radii.begin(), middle, radii.end());
  const float most = std::clamp(2 * *middle, kLeastRadius, kMostRadius);
  for (Surfel& surfel : surfels) {
    surfel.radius = std::clamp(surfel.radius * 0.85F, kLeastRadius, most);
  }
  return surfels;
}

}  // namespace contra4::media
