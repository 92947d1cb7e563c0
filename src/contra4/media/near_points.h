// The nearest points of each point of a cloud.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace contra4::media {

using Point = std::array<float, 3>;

// A tree over points in space; equal points are no trouble. Reading may be done by any number of
// threads. Source: J. L. Bentley, "Multidimensional binary search trees used for associative
// searching", 1975; here without nodes, the median of each part lies in its middle.
class NearPoints {
 public:
  explicit NearPoints(std::span<const Point> points);

  struct Neighbor {
    float squared_distance = 0;
    std::uint32_t index = 0;
  };
  // The `count` nearest points, itself first of all, by distance and then by index; fewer where
  // there are fewer. `found` is used again from call to call.
  void find(const Point& place, std::size_t count, std::vector<Neighbor>& found) const;

 private:
  void build(std::size_t begin, std::size_t end);
  void search(std::size_t begin, std::size_t end, const Point& place, std::size_t count,
              std::vector<Neighbor>& found) const;

  std::vector<Point> points_;
  std::vector<std::uint32_t> order_;
  std::vector<std::uint8_t> axes_;  // by which the part around this middle is split
};

}  // namespace contra4::media
