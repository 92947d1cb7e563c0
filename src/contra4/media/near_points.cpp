#include "contra4/media/near_points.h"

#include <algorithm>
#include <numeric>

namespace contra4::media {

namespace {

constexpr std::size_t kLeafPoints = 8;

bool is_nearer(const NearPoints::Neighbor& a, const NearPoints::Neighbor& b) {
  return a.squared_distance < b.squared_distance ||
         (a.squared_distance == b.squared_distance && a.index < b.index);
}

float squared_distance(const Point& a, const Point& b) {
  float sum = 0;
  for (std::size_t axis = 0; axis < 3; ++axis) {
    sum += (a[axis] - b[axis]) * (a[axis] - b[axis]);
  }
  return sum;
}

}  // namespace

NearPoints::NearPoints(std::span<const Point> points)
    : points_(points.begin(), points.end()), order_(points.size()), axes_(points.size()) {
  std::iota(order_.begin(), order_.end(), 0U);
  build(0, order_.size());
}

void NearPoints::build(std::size_t begin, std::size_t end) {
  if (end - begin <= kLeafPoints) return;
  Point low = points_[order_[begin]];
  Point high = low;
  for (std::size_t i = begin; i < end; ++i) {
    for (std::size_t axis = 0; axis < 3; ++axis) {
      low[axis] = std::min(low[axis], points_[order_[i]][axis]);
      high[axis] = std::max(high[axis], points_[order_[i]][axis]);
    }
  }
  std::size_t widest = 0;
  for (std::size_t axis = 1; axis < 3; ++axis) {
    if (high[axis] - low[axis] > high[widest] - low[widest]) widest = axis;
  }
  const std::size_t middle = begin + (end - begin) / 2;
  const auto at = [&](std::size_t i) { return order_.begin() + static_cast<std::ptrdiff_t>(i); };
  std::nth_element(at(begin), at(middle), at(end), [&](std::uint32_t a, std::uint32_t b) {
    return points_[a][widest] < points_[b][widest] ||
           (points_[a][widest] == points_[b][widest] && a < b);
  });
  axes_[middle] = static_cast<std::uint8_t>(widest);
  build(begin, middle);
  build(middle + 1, end);
}

void NearPoints::find(const Point& place, std::size_t count, std::vector<Neighbor>& found) const {
  found.clear();
  if (count > 0) search(0, order_.size(), place, count, found);
  std::sort_heap(found.begin(), found.end(), is_nearer);
}

void NearPoints::search(std::size_t begin, std::size_t end, const Point& place, std::size_t count,
                        std::vector<Neighbor>& found) const {
  const auto look_at = [&](std::size_t i) {
    const Neighbor neighbor{squared_distance(points_[order_[i]], place), order_[i]};
    if (found.size() == count) {
      if (!is_nearer(neighbor, found.front())) return;
      std::pop_heap(found.begin(), found.end(), is_nearer);
      found.pop_back();
    }
    found.push_back(neighbor);
    std::push_heap(found.begin(), found.end(), is_nearer);
  };
  if (end - begin <= kLeafPoints) {
    for (std::size_t i = begin; i < end; ++i) look_at(i);
    return;
  }
  const std::size_t middle = begin + (end - begin) / 2;
  const std::size_t axis = axes_[middle];
  const float offset = place[axis] - points_[order_[middle]][axis];
  const bool is_left = offset < 0;
  if (is_left) {
    search(begin, middle, place, count, found);
  } else {
    search(middle + 1, end, place, count, found);
  }
  look_at(middle);
  if (found.size() == count && offset * offset > found.front().squared_distance) return;
  if (is_left) {
    search(middle + 1, end, place, count, found);
  } else {
    search(begin, middle, place, count, found);
  }
}

}  // namespace contra4::media
