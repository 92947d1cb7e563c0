#include "contra4/models/onellm/point_groups.h"

#include <algorithm>
#include <bit>
#include <utility>

#include <ATen/Parallel.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/equal.h>

#include "contra4/base/error.h"

namespace contra4::models::onellm {

namespace {

constexpr std::int64_t kMaxThreads = 1024;  // of the published kernel's block
constexpr float kFarAway = 1e10F;           // what it starts from

// Coordinates one behind the other, so that loops over points become vector instructions.
struct Columns {
  std::vector<float> x, y, z;

  explicit Columns(const at::Tensor& xyz) {
    const at::Tensor rows = xyz.contiguous();
    const float* values = rows.const_data_ptr<float>();
    const auto n = static_cast<std::size_t>(rows.size(0));
    x.resize(n);
    y.resize(n);
    z.resize(n);
    for (std::size_t i = 0; i < n; ++i) {
      x[i] = values[3 * i];
      y[i] = values[3 * i + 1];
      z[i] = values[3 * i + 2];
    }
  }
  std::size_t size() const { return x.size(); }
  float squared_distance(std::size_t a, std::size_t b) const {
    const float dx = x[a] - x[b];
    const float dy = y[a] - y[b];
    const float dz = z[a] - z[b];
    return dx * dx + dy * dy + dz * dz;
  }
};

struct Candidate {
  float distance = -1;
  std::size_t row = 0;
};

// The threads of the published block, then its tree: the left one stays unless the right one is
// strictly farther.
std::size_t farthest(const std::vector<float>& distances, std::vector<Candidate>& threads) {
  std::fill(threads.begin(), threads.end(), Candidate{});
  for (std::size_t row = 0; row < distances.size(); ++row) {
    Candidate& thread = threads[row % threads.size()];
    if (distances[row] > thread.distance) thread = {distances[row], row};
  }
  for (std::size_t half = threads.size() / 2; half > 0; half /= 2) {
    for (std::size_t i = 0; i < half; ++i) {
      if (threads[i + half].distance > threads[i].distance) threads[i] = threads[i + half];
    }
  }
  return threads[0].row;
}

}  // namespace

std::vector<std::int64_t> farthest_points(const at::Tensor& xyz, std::int64_t num_centres) {
  const Columns points(xyz);
  CONTRA4_CHECK(points.size() > 0 && num_centres > 0, "a point and a centre");
  std::vector<float> distances(points.size(), kFarAway);
  std::vector<Candidate> threads(
      std::min(static_cast<std::size_t>(kMaxThreads), std::bit_floor(points.size())));
  std::vector<std::int64_t> centres = {0};
  while (std::ssize(centres) < num_centres) {
    const auto last = static_cast<std::size_t>(centres.back());
    for (std::size_t row = 0; row < points.size(); ++row) {
      distances[row] = std::min(distances[row], points.squared_distance(row, last));
    }
    centres.push_back(static_cast<std::int64_t>(farthest(distances, threads)));
  }
  return centres;
}

at::Tensor nearest_points(const at::Tensor& xyz, const std::vector<std::int64_t>& centres,
                          std::int64_t count) {
  const Columns points(xyz);
  CONTRA4_CHECK(count > 0 && count <= static_cast<std::int64_t>(points.size()),
                "as many points as are wanted");
  at::Tensor rows = at::empty({std::ssize(centres), count}, at::kLong);
  auto* const values = rows.mutable_data_ptr<std::int64_t>();
  at::parallel_for(0, std::ssize(centres), 16, [&](std::int64_t begin, std::int64_t end) {
    std::vector<std::pair<float, std::int64_t>> order(points.size());
    for (std::int64_t i = begin; i < end; ++i) {
      const auto centre = static_cast<std::size_t>(centres[static_cast<std::size_t>(i)]);
      for (std::size_t row = 0; row < points.size(); ++row) {
        order[row] = {points.squared_distance(row, centre), static_cast<std::int64_t>(row)};
      }
      std::nth_element(order.begin(), order.begin() + (count - 1), order.end());
      for (std::int64_t j = 0; j < count; ++j) {
        values[i * count + j] = order[static_cast<std::size_t>(j)].second;
      }
    }
  });
  return rows;
}

PointGroups group_points(const at::Tensor& points, const PointGroupsOptions& options) {
  PointGroups groups;
  groups.points = points;
  if (options.rounds_to_bfloat16) groups.points = points.to(at::kBFloat16).to(at::kFloat);
  std::int64_t group_size = options.group_size;
  const std::int64_t half = points.size(0) / 2;
  if (points.size(0) % (2 * kMaxThreads) == 0 && group_size % 2 == 0 && half > 0 &&
      at::equal(groups.points.narrow(0, 0, half), groups.points.narrow(0, half, half))) {
    groups.points = groups.points.narrow(0, 0, half).contiguous();
    group_size /= 2;
  }
  const at::Tensor xyz = groups.points.narrow(1, 3, 3);
  groups.rows = nearest_points(xyz, farthest_points(xyz, options.num_centres),
                               std::min(group_size, groups.points.size(0)));
  return groups;
}

}  // namespace contra4::models::onellm
