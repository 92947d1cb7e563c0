#include "contra4/media/mesh.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include <fmt/format.h>

namespace contra4::media {

namespace {

using Vector = std::array<double, 3>;

Vector corner(const std::vector<float>& values, std::uint32_t row) {
  const std::size_t at = std::size_t{3} * row;
  return {values[at], values[at + 1], values[at + 2]};
}

double area_of(const PointCloud& vertices, const std::array<std::uint32_t, 3>& triangle) {
  const Vector a = corner(vertices.xyz, triangle[0]);
  const Vector b = corner(vertices.xyz, triangle[1]);
  const Vector c = corner(vertices.xyz, triangle[2]);
  const Vector u = {b[0] - a[0], b[1] - a[1], b[2] - a[2]};
  const Vector v = {c[0] - a[0], c[1] - a[1], c[2] - a[2]};
  const Vector w = {u[1] * v[2] - u[2] * v[1], u[2] * v[0] - u[0] * v[2],
                    u[0] * v[1] - u[1] * v[0]};
  return std::sqrt(w[0] * w[0] + w[1] * w[1] + w[2] * w[2]) / 2;
}

// Weights of the three corners for the n-th point: the plane's golden ratio leaves no clusters and
// no gaps, where random numbers would. Source: M. Roberts, "The unreasonable effectiveness of
// quasirandom sequences", R2.
Vector corner_weights(std::size_t n) {
  constexpr double kFirst = 0.7548776662466927;
  constexpr double kSecond = 0.5698402909980532;
  const auto number = static_cast<double>(n);
  double u = std::fmod(0.5 + kFirst * number, 1.0);
  double v = std::fmod(0.5 + kSecond * number, 1.0);
  if (u + v > 1) {
    u = 1 - u;
    v = 1 - v;
  }
  return {1 - u - v, u, v};
}

void append_between(std::vector<float>& out, const std::vector<float>& values,
                    const std::array<std::uint32_t, 3>& triangle, const Vector& weights) {
  for (std::size_t axis = 0; axis < 3; ++axis) {
    double sum = 0;
    for (std::size_t i = 0; i < 3; ++i) {
      sum += weights[i] * values[std::size_t{3} * triangle[i] + axis];
    }
    out.push_back(static_cast<float>(sum));
  }
}

}  // namespace

PointCloud points_of(Mesh mesh) {
  if (mesh.vertices.num_points() >= kSpreadPoints || mesh.triangles.empty()) {
    return std::move(mesh.vertices);
  }
  std::vector<double> area_up_to;
  area_up_to.reserve(mesh.triangles.size());
  double total = 0;
  for (const auto& triangle : mesh.triangles) {
    area_up_to.push_back(total += area_of(mesh.vertices, triangle));
  }
  if (!(total > 0) || !std::isfinite(total)) return std::move(mesh.vertices);
  PointCloud cloud;
  std::size_t face = 0;
  for (std::size_t i = 0; i < kSpreadPoints; ++i) {
    const double place = (static_cast<double>(i) + 0.5) / kSpreadPoints * total;
    while (face + 1 < area_up_to.size() && area_up_to[face] < place) ++face;
    const Vector weights = corner_weights(i);
    append_between(cloud.xyz, mesh.vertices.xyz, mesh.triangles[face], weights);
    if (!mesh.vertices.rgb.empty()) {
      append_between(cloud.rgb, mesh.vertices.rgb, mesh.triangles[face], weights);
    }
  }
  return cloud;
}

void scale_colours(std::vector<float>& rgb) {
  constexpr float kMaxByte = 255;
  if (rgb.empty()) return;
  const auto [low, high] = std::minmax_element(rgb.begin(), rgb.end());
  if (*low < 0 || *high > kMaxByte) {
    rgb.clear();
    return;
  }
  if (*high <= 1) return;
  for (float& value : rgb) value /= kMaxByte;
}

Result<void> check_finite(const PointCloud& cloud, std::string_view name) {
  for (const std::vector<float>* values : {&cloud.xyz, &cloud.rgb}) {
    const auto odd = std::find_if(values->begin(), values->end(),
                                  [](float value) { return !std::isfinite(value); });
    if (odd == values->end()) continue;
    return Error{ErrorCode::kInvalidArgument,
                 fmt::format("{}: point {} (counted from 0) holds {}, which is no number to draw",
                             name, (odd - values->begin()) / 3, *odd)};
  }
  return {};
}

}  // namespace contra4::media
