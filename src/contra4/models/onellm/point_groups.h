// Which points of a cloud stand together: centres spread as far as possible, and the points nearest
// to each.
#pragma once

#include <cstdint>
#include <vector>

#include <ATen/core/Tensor.h>

namespace contra4::models::onellm {

// `num_centres` of the rows of xyz [n, 3] float32 on the CPU: row 0 first, then always the row
// whose distance to the nearest one taken is the greatest. Of equal ones that which the published
// kernel takes: it spreads the rows over a block of threads (row modulo their number), keeps the
// first of a thread and compares threads in a tree, which puts them into the order of their bits
// reversed. Rows repeat when fewer differ. n is at least 1. Source: csuhan/OneLLM 8587a47,
// model/lib/pointnet2: sampling_gpu.cu.
std::vector<std::int64_t> farthest_points(const at::Tensor& xyz, std::int64_t num_centres);

// The `count` rows of xyz nearest to each centre, in no order; of equal distances the lowest row.
//   centres  rows of xyz [n, 3] float32 on the CPU; count is n at most
//   returns  [centres, count] int64
at::Tensor nearest_points(const at::Tensor& xyz, const std::vector<std::int64_t>& centres,
                          std::int64_t count);

struct PointGroups {
  at::Tensor points;  // [n, 6] float32: the rows that differ
  at::Tensor rows;    // [centres, group size] int64, of those
};

struct PointGroupsOptions {
  std::int64_t num_centres = 1024;
  std::int64_t group_size = 32;
  // Coordinates as the published evaluation has them, in bfloat16: equal distances are common then.
  bool rounds_to_bfloat16 = false;
};

// Groups by the last three columns of points [n, 6] float32, as published. Where the second half
// repeats the first, as in a prepared cloud, only the first is looked at and groups are half as
// large: a point stands for its twin.
PointGroups group_points(const at::Tensor& points, const PointGroupsOptions& options);

}  // namespace contra4::models::onellm
