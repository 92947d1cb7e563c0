#include "contra4/media/point_cloud.h"

#include <algorithm>
#include <string>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "contra4/io/npy.h"
#include "contra4/media/file_type.h"
#include "contra4/media/mesh.h"

namespace contra4::media {

namespace {

// The largest array that may be points: six doubles each.
std::uint64_t max_array_bytes(const PointLimits& limits) {
  constexpr std::uint64_t kBytesPerPoint = 48;
  return std::min(limits.max_points, io::kMaxArrayBytes / kBytesPerPoint) * kBytesPerPoint;
}

std::string shape_text(const std::vector<std::int64_t>& shape) {
  return fmt::format("[{}]", fmt::join(shape, ", "));
}

Result<PointCloud> points_of_array(const io::NpyArray& array, std::string_view name,
                                   const PointLimits& limits) {
  const bool is_table = array.shape.size() == 2 && (array.shape[1] == 3 || array.shape[1] == 6);
  if (!is_table) {
    return Error{ErrorCode::kInvalidArgument,
                 fmt::format("{}: wanted points [n, 3], or [n, 6] with colours, found {}", name,
                             shape_text(array.shape))};
  }
  if (array.shape[0] == 0) {
    return Error{ErrorCode::kInvalidArgument, fmt::format("{}: holds no points", name)};
  }
  const auto num_points = static_cast<std::uint64_t>(array.shape[0]);
  if (num_points > limits.max_points) {
    return Error{ErrorCode::kResourceExhausted, fmt::format("{}: {} points, at most {} are read",
                                                            name, num_points, limits.max_points)};
  }
  PointCloud cloud;
  std::vector<float> values = array.to_float32();
  if (array.shape[1] == 3) {
    cloud.xyz = std::move(values);
  } else {
    cloud.xyz.reserve(values.size() / 2);
    cloud.rgb.reserve(values.size() / 2);
    for (std::size_t i = 0; i < values.size(); ++i) {
      (i % 6 < 3 ? cloud.xyz : cloud.rgb).push_back(values[i]);
    }
  }
  if (auto finite = check_finite(cloud, name); !finite) return finite.error();
  scale_colours(cloud.rgb);
  return cloud;
}

Result<PointCloud> read_npz_points(std::string_view bytes, std::string_view name,
                                   const PointLimits& limits) {
  constexpr std::string_view kPublishedMember = "arr_0";
  const auto names = io::npz_names(bytes, name);
  if (!names) return names.error();
  const bool has_published =
      std::find(names->begin(), names->end(), kPublishedMember) != names->end();
  if (!has_published && names->size() != 1) {
    return Error{ErrorCode::kInvalidArgument,
                 fmt::format("{}: wanted the array arr_0, or a single one, found {} others", name,
                             names->size())};
  }
  const auto array =
      io::read_npz(bytes, has_published ? std::string(kPublishedMember) : names->front(), name,
                   max_array_bytes(limits));
  if (!array) return array.error();
  return points_of_array(*array, name, limits);
}

Result<PointCloud> points_of_mesh(Result<Mesh> mesh) {
  if (!mesh) return mesh.error();
  return points_of(std::move(*mesh));
}

}  // namespace

Result<PointCloud> read_point_cloud(std::string_view bytes, std::string_view name,
                                    const PointLimits& limits) {
  if (bytes.empty()) return Error{ErrorCode::kDataLoss, fmt::format("{}: empty file", name)};
  const auto type = detect_file_type(bytes.substr(0, kFileTypeBytes));
  const std::string_view format = type ? type->format : std::string_view();
  if (format == "npz") return read_npz_points(bytes, name, limits);
  if (format == "npy") {
    const auto array = io::parse_npy(bytes, name, max_array_bytes(limits));
    if (!array) return array.error();
    return points_of_array(*array, name, limits);
  }
  if (format == "ply") return points_of_mesh(parse_ply(bytes, name, limits));
  if (format == "obj") return points_of_mesh(parse_obj(bytes, name, limits));
  return Error{ErrorCode::kInvalidArgument,
               fmt::format("{}: wanted a point cloud (npz, npy, ply, obj), found {}", name,
                           type ? type->mime_type : "a file of unknown type")};
}

}  // namespace contra4::media
