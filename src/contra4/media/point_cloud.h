// A decoded point cloud.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "contra4/base/error.h"

namespace contra4::media {

struct PointCloud {
  std::vector<float> xyz;  // [num_points, 3], in the file's units
  std::vector<float> rgb;  // [num_points, 3] in [0, 1]; empty where the file has no colours

  std::size_t num_points() const { return xyz.size() / 3; }
};

struct PointLimits {
  std::uint64_t max_points = 4U << 20;
};

// npz (member arr_0, or the only one), npy: [n, 3], or [n, 6] with colours in 0..1 or 0..255 (other
// values, as normals have, are left out); ply (ascii, binary little- and big-endian) and obj: their
// vertices, or, where those are fewer than 8192 with faces between, 8192 points spread evenly over
// the faces by area, always the same. By content, not by name. `name` is for messages. kDataLoss
// for a file that is cut or wrong, kInvalidArgument for one that holds no points or values that are
// no finite numbers (which point), kResourceExhausted above a limit.
Result<PointCloud> read_point_cloud(std::string_view bytes, std::string_view name,
                                    const PointLimits& limits = {});

}  // namespace contra4::media
