#include "contra4/media/render.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>

namespace contra4::media {

namespace {

struct View {
  double azimuth_deg;  // 0: the viewer stands in front, 90: at the object's right end of x
  double elevation_deg;
  std::string_view words;
};
constexpr std::array<View, kMaxViews> kViews = {
    View{35, 22, "from the front, the side and somewhat above"},
    View{0, 4, "from the front"},
    View{90, 4, "from the side"},
    View{215, 45, "from behind and above"},
    View{180, 4, "from behind"},
    View{0, 88, "from the top"},
};

constexpr int kOversampling = 2;      // pixels drawn for one shown, each way
constexpr double kEyeDistance = 5;    // radii of the object: a mild perspective
constexpr double kFilledShare = 0.9;  // of a view by the largest extent
constexpr int kGap = 4;               // pixels between views

using Vector = std::array<double, 3>;

double dot(const Vector& a, const Vector& b) {
  return a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
}

Vector vector_of(const Point& point) {
  return {point[0], point[1], point[2]};
}

// Axes of a viewer who looks at the origin.
struct Camera {
  Vector right = {};
  Vector up = {};
  Vector toward = {};  // from the object to the eye

  explicit Camera(const View& view) {
    constexpr double kDegree = std::numbers::pi / 180;
    const double a = view.azimuth_deg * kDegree;
    const double e = view.elevation_deg * kDegree;
    right = {std::cos(a), std::sin(a), 0};
    toward = {std::sin(a) * std::cos(e), -std::cos(a) * std::cos(e), std::sin(e)};
    up = {-std::sin(a) * std::sin(e), std::cos(a) * std::sin(e), std::cos(e)};
  }
  Vector seen(const Point& point) const {
    const Vector p = vector_of(point);
    return {dot(p, right), dot(p, up), dot(p, toward)};
  }
};

double magnification(double depth) {
  return kEyeDistance / (kEyeDistance - depth);
}

// What a view shows: from `low` to `high` on the plane through the origin.
struct Extent {
  std::array<double, 2> low = {0, 0};
  std::array<double, 2> high = {0, 0};
  double half() const { return std::max(high[0] - low[0], high[1] - low[1]) / 2; }
};

bool is_in_ball(const Point& point) {
  constexpr double kRadius = 1.05;
  const Vector p = vector_of(point);
  return dot(p, p) <= kRadius * kRadius;
}

Extent extent_of(const std::vector<Surfel>& surfels, const Camera& camera) {
  Extent extent;
  bool is_first = true;
  for (const Surfel& surfel : surfels) {
    if (!is_in_ball(surfel.centre)) continue;
    const Vector place = camera.seen(surfel.centre);
    for (std::size_t axis = 0; axis < 2; ++axis) {
      const double at = place[axis] * magnification(place[2]);
      const double radius = surfel.radius * magnification(place[2]);
      extent.low[axis] = is_first ? at - radius : std::min(extent.low[axis], at - radius);
      extent.high[axis] = is_first ? at + radius : std::max(extent.high[axis], at + radius);
    }
    is_first = false;
  }
  return extent;
}

struct Pixel {
  float depth = -std::numeric_limits<float>::infinity();
  float weight = 0;
  Point normal{};
  Point colour{};
};

// A disc as it lies in the picture; lengths in pixels, y downwards.
struct Disc {
  double x = 0;
  double y = 0;
  double depth = 0;
  double radius = 0;
  Vector normal = {0, 0, 1};  // towards the viewer
};

class Canvas {
 public:
  Canvas(int side, const Extent& extent, double pixels_per_unit)
      : side_(side),
        extent_(extent),
        scale_(pixels_per_unit),
        pixels_(static_cast<std::size_t>(side) * static_cast<std::size_t>(side)) {}

  void draw(const std::vector<Surfel>& surfels, const Camera& camera) {
    for (const bool is_depth : {true, false}) {
      for (const Surfel& surfel : surfels) {
        const Disc disc = disc_of(surfel, camera);
        if (disc.depth >= kEyeDistance / 2) continue;  // a stray about the eye
        is_depth ? draw_depth(disc) : draw_surface(disc, surfel.colour);
      }
    }
    close_gaps();
  }

  const Pixel& at(int x, int y) const {
    return pixels_[static_cast<std::size_t>(y) * static_cast<std::size_t>(side_) +
                   static_cast<std::size_t>(x)];
  }
  int side() const { return side_; }

 private:
  Disc disc_of(const Surfel& surfel, const Camera& camera) const {
    const Vector place = camera.seen(surfel.centre);
    const double size = magnification(place[2]);
    const double half = static_cast<double>(side_) / 2;
    Disc disc;
    disc.x = half + (place[0] * size - (extent_.low[0] + extent_.high[0]) / 2) * scale_;
    disc.y = half - (place[1] * size - (extent_.low[1] + extent_.high[1]) / 2) * scale_;
    disc.depth = place[2];
    disc.radius = std::max(surfel.radius * size * scale_, 1.0);
    Vector normal = camera.seen(surfel.normal);
    if (dot(normal, normal) > 0.5) {
      if (normal[2] < 0) normal = {-normal[0], -normal[1], -normal[2]};
      disc.normal = {normal[0], -normal[1], normal[2]};
    }
    return disc;
  }

  // Calls `put` with each pixel of a disc, its depth and the squared share of the radius.
  template <class Put>
  void for_each_pixel(const Disc& disc, Put put) {
    constexpr double kLeastSlant = 0.3;  // edges of discs seen from the side keep some width
    const double slant = std::max(disc.normal[2], kLeastSlant);
    const int left = std::max(0, static_cast<int>(std::floor(disc.x - disc.radius)));
    const int right = std::min(side_ - 1, static_cast<int>(std::ceil(disc.x + disc.radius)));
    const int top = std::max(0, static_cast<int>(std::floor(disc.y - disc.radius)));
    const int bottom = std::min(side_ - 1, static_cast<int>(std::ceil(disc.y + disc.radius)));
    const double square = disc.radius * disc.radius;
    for (int y = top; y <= bottom; ++y) {
      for (int x = left; x <= right; ++x) {
        const double dx = x + 0.5 - disc.x;
        const double dy = y + 0.5 - disc.y;
        const double dz = -(disc.normal[0] * dx + disc.normal[1] * dy) / slant;
        const double share = (dx * dx + dy * dy + dz * dz) / square;
        if (share > 1) continue;
        Pixel& pixel = pixels_[static_cast<std::size_t>(y) * static_cast<std::size_t>(side_) +
                               static_cast<std::size_t>(x)];
        put(pixel, static_cast<float>(disc.depth + dz / scale_), share);
      }
    }
  }

  void draw_depth(const Disc& disc) {
    for_each_pixel(disc, [](Pixel& pixel, float depth, double) {
      pixel.depth = std::max(pixel.depth, depth);
    });
  }

  // Discs about as near as the nearest one share the pixel.
  void draw_surface(const Disc& disc, const Point& colour) {
    const auto tolerance = static_cast<float>(disc.radius / scale_);
    for_each_pixel(disc, [&](Pixel& pixel, float depth, double share) {
      if (depth < pixel.depth - tolerance) return;
      const auto weight = static_cast<float>(1.01 - share);
      pixel.weight += weight;
      for (std::size_t i = 0; i < 3; ++i) {
        pixel.normal[i] += weight * static_cast<float>(disc.normal[i]);
        pixel.colour[i] += weight * colour[i];
      }
    });
  }

  // The nearest pixel that way, a few steps at most, which lies well in front of `depth`; null:
  // none.
  const Pixel* find_nearer(int x, int y, int dx, int dy, float depth) const {
    constexpr float kStep = 0.05F;  // radii of the object
    const int reach = side_ / 60 + 1;
    for (int distance = 1; distance <= reach; ++distance) {
      const int nx = x + dx * distance;
      const int ny = y + dy * distance;
      if (nx < 0 || ny < 0 || nx >= side_ || ny >= side_) return nullptr;
      const Pixel& other = at(nx, ny);
      if (other.weight > 0 && other.depth > depth + kStep) return &other;
    }
    return nullptr;
  }

  // Chance leaves gaps between points: what has a nearer surface close by on all sides is one.
  void close_gaps() {
    constexpr std::array<std::array<int, 2>, 8> kSides = {
        {{1, 0}, {-1, 0}, {0, 1}, {0, -1}, {1, 1}, {-1, -1}, {1, -1}, {-1, 1}}};
    std::vector<std::pair<std::size_t, Pixel>> closed;
    for (int y = 0; y < side_; ++y) {
      for (int x = 0; x < side_; ++x) {
        Pixel mean;
        mean.depth = 0;
        std::size_t num_sides = 0;
        for (const auto& [dx, dy] : kSides) {
          const Pixel* const other = find_nearer(x, y, dx, dy, at(x, y).depth);
          if (other == nullptr) break;
          ++num_sides;
          mean.depth += other->depth / static_cast<float>(kSides.size());
          mean.weight += 1;
          for (std::size_t i = 0; i < 3; ++i) {
            mean.normal[i] += other->normal[i] / other->weight;
            mean.colour[i] += other->colour[i] / other->weight;
          }
        }
        if (num_sides < kSides.size()) continue;
        closed.emplace_back(&at(x, y) - pixels_.data(), mean);
      }
    }
    for (const auto& [place, pixel] : closed) pixels_[place] = pixel;
  }

  int side_;
  Extent extent_;
  double scale_;
  std::vector<Pixel> pixels_;
};

// Between 0, far below the parts around it, and 1: what makes edges and hollows plain.
double openness(const Canvas& canvas, int x, int y) {
  constexpr double kStrength = 5;
  constexpr double kMostDrop = 0.3;  // radii of the object
  constexpr std::array<std::array<int, 2>, 8> kAround = {
      {{1, 0}, {1, 1}, {0, 1}, {-1, 1}, {-1, 0}, {-1, -1}, {0, -1}, {1, -1}}};
  const double depth = canvas.at(x, y).depth;
  double sum = 0;
  int count = 0;
  for (const int distance : {canvas.side() / 200 + 1, canvas.side() / 60 + 2}) {
    for (const auto& [dx, dy] : kAround) {
      ++count;
      const int nx = x + dx * distance;
      const int ny = y + dy * distance;
      if (nx < 0 || ny < 0 || nx >= canvas.side() || ny >= canvas.side()) continue;
      const Pixel& other = canvas.at(nx, ny);
      if (other.weight <= 0) continue;
      // A slope is no drop.
      const double slope = 0.02 * distance / (canvas.side() / 200.0 + 1);
      sum += std::clamp(other.depth - depth - slope, 0.0, kMostDrop);
    }
  }
  constexpr double kLeast = 0.3;
  return kLeast + (1 - kLeast) * std::exp(-kStrength * 2 * sum / count);
}

Vector background(double height) {
  constexpr Vector kTop = {0.95, 0.96, 0.975};
  constexpr Vector kBottom = {0.84, 0.86, 0.89};
  Vector colour{};
  for (std::size_t i = 0; i < 3; ++i) colour[i] = kTop[i] + height * (kBottom[i] - kTop[i]);
  return colour;
}

Vector shaded(const Canvas& canvas, int x, int y, bool has_colours) {
  constexpr Vector kLight = {-0.43, -0.60, 0.675};  // from the left, above and the viewer's side
  constexpr Vector kNear = {0.97, 0.83, 0.60};
  constexpr Vector kFar = {0.38, 0.50, 0.72};
  const Pixel& pixel = canvas.at(x, y);
  if (pixel.weight <= 0) {
    return background(static_cast<double>(y) / static_cast<double>(canvas.side()));
  }
  Vector normal = vector_of(pixel.normal);
  const double length = std::sqrt(dot(normal, normal));
  if (length > 0) {
    for (double& value : normal) value /= length;
  }
  const double sky = 0.5 - 0.5 * normal[1];
  const double light = 0.36 + 0.20 * sky + 0.60 * std::max(0.0, dot(normal, kLight));
  const double shade = light * openness(canvas, x, y);
  const double nearness = std::clamp((pixel.depth + 1.0) / 2, 0.0, 1.0);
  Vector colour{};
  for (std::size_t i = 0; i < 3; ++i) {
    const double base =
        has_colours ? pixel.colour[i] / pixel.weight : kFar[i] + nearness * (kNear[i] - kFar[i]);
    colour[i] = std::clamp(base * shade, 0.0, 1.0);
  }
  return colour;
}

// Drawn finer than shown, the mean of each square is the pixel.
void copy_into(const Canvas& canvas, bool has_colours, int left, int top, Picture& sheet) {
  const int side = canvas.side() / kOversampling;
  for (int y = 0; y < side; ++y) {
    for (int x = 0; x < side; ++x) {
      Vector sum{};
      for (int i = 0; i < kOversampling * kOversampling; ++i) {
        const Vector colour = shaded(canvas, x * kOversampling + i % kOversampling,
                                     y * kOversampling + i / kOversampling, has_colours);
        for (std::size_t c = 0; c < 3; ++c) sum[c] += colour[c];
      }
      const auto at =
          3 * (static_cast<std::size_t>(top + y) * static_cast<std::size_t>(sheet.width) +
               static_cast<std::size_t>(left + x));
      for (std::size_t c = 0; c < 3; ++c) {
        sheet.rgb[at + c] =
            static_cast<std::uint8_t>(std::lround(sum[c] / (kOversampling * kOversampling) * 255));
      }
    }
  }
}

int columns_of(int num_views) {
  if (num_views == 4) return 2;
  return std::min(num_views, 3);
}

Picture blank_sheet(int columns, int rows, int side) {
  Picture sheet;
  sheet.width = columns * side + (columns - 1) * kGap;
  sheet.height = rows * side + (rows - 1) * kGap;
  sheet.rgb.assign(
      3 * static_cast<std::size_t>(sheet.width) * static_cast<std::size_t>(sheet.height), 0xff);
  return sheet;
}

}  // namespace

void RenderOptions::validate() const {
  constexpr int kLeastSide = 32;
  constexpr int kMostSide = 2048;
  if (view_side < kLeastSide || view_side > kMostSide) {
    throw Exception(ErrorCode::kInvalidArgument,
                    fmt::format("a view of a 3D object has a side of {} to {} pixels, not {}",
                                kLeastSide, kMostSide, view_side));
  }
  if (num_views < 1 || num_views > kMaxViews) {
    throw Exception(
        ErrorCode::kInvalidArgument,
        fmt::format("a 3D object is shown from 1 to {} sides, not {}", kMaxViews, num_views));
  }
}

Result<Picture> render_views(const PointCloud& cloud, const RenderOptions& options) {
  options.validate();
  if (cloud.xyz.empty()) {
    return Error{ErrorCode::kInvalidArgument, "a 3D object without points cannot be drawn"};
  }
  const std::vector<Surfel> surfels = make_surfels(cloud, options.up);
  const auto num_views = static_cast<std::size_t>(options.num_views);
  std::vector<Extent> extents;
  double half = 0;
  for (std::size_t i = 0; i < num_views; ++i) {
    extents.push_back(extent_of(surfels, Camera(kViews[i])));
    half = std::max(half, extents.back().half());
  }
  const int side = options.view_side * kOversampling;
  // A single point keeps its own size.
  const double scale = kFilledShare * side / 2 / std::max(half, 0.5);
  const int columns = columns_of(options.num_views);
  const int rows = (options.num_views + columns - 1) / columns;
  Picture sheet = blank_sheet(columns, rows, options.view_side);
  for (std::size_t i = 0; i < num_views; ++i) {
    Canvas canvas(side, extents[i], scale);
    canvas.draw(surfels, Camera(kViews[i]));
    const int number = static_cast<int>(i);
    copy_into(canvas, !cloud.rgb.empty(), number % columns * (options.view_side + kGap),
              number / columns * (options.view_side + kGap), sheet);
  }
  return sheet;
}

std::string words_of_views(int num_views) {
  if (num_views == 1) return fmt::format("One 3D object, drawn {}:", kViews[0].words);
  std::string sides;
  for (int i = 0; i < num_views; ++i) {
    if (i > 0) sides += "; ";
    sides += kViews[static_cast<std::size_t>(i)].words;
  }
  return fmt::format("One and the same 3D object, drawn {} times side by side ({}):", num_views,
                     sides);
}

}  // namespace contra4::media
