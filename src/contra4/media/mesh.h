// Points with faces between them, as ply and obj files hold them, and what becomes of them.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "contra4/base/error.h"
#include "contra4/media/point_cloud.h"

namespace contra4::media {

struct Mesh {
  PointCloud vertices;
  std::vector<std::array<std::uint32_t, 3>> triangles;  // of vertices; a polygon is a fan
};

// A mesh with fewer vertices than this is shown by so many points of its faces; the number that the
// published point clouds have.
inline constexpr std::size_t kSpreadPoints = 8192;
inline constexpr std::size_t kMaxTriangles = 16U << 20;

// ply: ascii and binary of either byte order. Properties in any order and of any type; lists and
// other elements are passed over. Errors as read_point_cloud().
Result<Mesh> parse_ply(std::string_view bytes, std::string_view name, const PointLimits& limits);
// obj: v with or without colours behind, f with any of its index forms, negative ones too; all else
// is passed over.
Result<Mesh> parse_obj(std::string_view bytes, std::string_view name, const PointLimits& limits);

// The vertices; of a mesh with few of them kSpreadPoints points, spread evenly over the faces by
// area, with the colours between their corners'. Always the same. A mesh without any area has its
// vertices alone.
PointCloud points_of(Mesh mesh);

// Colours as files have them, 0..1 or 0..255, told by the highest one, become [0, 1]. Columns with
// a negative value or one above 255 are no colours (normals, say) and are emptied.
void scale_colours(std::vector<float>& rgb);

// The row (from 0) of the first value that is no finite number, and whether there is one.
Result<void> check_finite(const PointCloud& cloud, std::string_view name);

}  // namespace contra4::media
