#include "contra4/media/render.h"

#include <array>
#include <chrono>
#include <cmath>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "contra4/io/file.h"
#include "tests/support/test_env.h"

namespace contra4::media {
namespace {

using ::testing::HasSubstr;

constexpr RenderOptions kSmall{.view_side = 64, .num_views = 1, .up = UpAxis::kZ};

Picture drawn(const PointCloud& cloud, const RenderOptions& options = kSmall) {
  return render_views(cloud, options).value();
}

std::array<int, 3> pixel(const Picture& picture, int x, int y) {
  const auto at = 3 * (static_cast<std::size_t>(y) * static_cast<std::size_t>(picture.width) +
                       static_cast<std::size_t>(x));
  return {picture.rgb[at], picture.rgb[at + 1], picture.rgb[at + 2]};
}

// Rows are of one grey where nothing was drawn: a pixel that differs from its row's first is of the
// object. Counted in the view at (left, top).
int num_drawn(const Picture& picture, int left, int top, int side) {
  int count = 0;
  for (int y = top; y < top + side; ++y) {
    for (int x = left; x < left + side; ++x) {
      count += pixel(picture, x, y) != pixel(picture, left, y) ? 1 : 0;
    }
  }
  return count;
}

// Points n x n on the unit square z = 0, or x = 0 and so on.
PointCloud square(int n, std::size_t flat_axis) {
  PointCloud cloud;
  for (int i = 0; i < n * n; ++i) {
    std::array<float, 2> at = {static_cast<float>(i % n) / static_cast<float>(n),
                               static_cast<float>(i / n) / static_cast<float>(n)};
    std::size_t next = 0;
    for (std::size_t axis = 0; axis < 3; ++axis) {
      cloud.xyz.push_back(axis == flat_axis ? 0.F : at[next++]);
    }
  }
  return cloud;
}

void paint(PointCloud& cloud, const std::array<float, 3>& colour) {
  for (std::size_t i = 0; i < cloud.num_points(); ++i) {
    cloud.rgb.insert(cloud.rgb.end(), colour.begin(), colour.end());
  }
}

TEST(Render, PutsTheViewsSideBySide) {
  const PointCloud cloud = square(10, 0);
  const std::array<std::array<int, 2>, 6> sizes = {
      {{64, 64}, {132, 64}, {200, 64}, {132, 132}, {200, 132}, {200, 132}}};
  for (int views = 1; views <= kMaxViews; ++views) {
    const Picture picture = drawn(cloud, {.view_side = 64, .num_views = views, .up = UpAxis::kZ});
    EXPECT_EQ(picture.width, sizes[static_cast<std::size_t>(views - 1)][0]);
    EXPECT_EQ(picture.height, sizes[static_cast<std::size_t>(views - 1)][1]);
    EXPECT_EQ(picture.rgb.size(), 3U * static_cast<std::size_t>(picture.width * picture.height));
  }
}

TEST(Render, ClosesASurfaceAndLeavesTheRestFree) {
  // The first view, which is the highest, fills nine tenths; the wall from the front, in the
  // second, is somewhat smaller, and from its side a line.
  const Picture picture =
      drawn(square(40, 1), {.view_side = 100, .num_views = 3, .up = UpAxis::kZ});
  EXPECT_NEAR(num_drawn(picture, 104, 0, 100), 78 * 78, 300);
  EXPECT_LT(num_drawn(picture, 208, 0, 100), 1200);
  EXPECT_GT(num_drawn(picture, 208, 0, 100), 100);
  // No gap in the wall: all pixels of its middle are drawn.
  for (int y = 20; y < 80; ++y) {
    for (int x = 124; x < 184; ++x) EXPECT_NE(pixel(picture, x, y), pixel(picture, 104, y));
  }
}

TEST(Render, ShowsTheNearerOfTwoSurfaces) {
  PointCloud cloud = square(40, 1);
  paint(cloud, {1, 0, 0});
  PointCloud behind = square(40, 1);
  for (std::size_t i = 1; i < behind.xyz.size(); i += 3) behind.xyz[i] = 0.5F;
  paint(behind, {0, 0, 1});
  // The one behind comes first in the file.
  behind.xyz.insert(behind.xyz.end(), cloud.xyz.begin(), cloud.xyz.end());
  behind.rgb.insert(behind.rgb.end(), cloud.rgb.begin(), cloud.rgb.end());
  const Picture picture = drawn(behind, {.view_side = 64, .num_views = 2, .up = UpAxis::kZ});
  const auto middle = pixel(picture, 68 + 32, 32);
  EXPECT_GT(middle[0], 120);
  EXPECT_LT(middle[2], 20);
}

TEST(Render, ShowsColoursAndWithoutThemDepth) {
  PointCloud green = square(30, 1);
  paint(green, {0.1F, 0.9F, 0.1F});
  const auto colour = pixel(drawn(green), 32, 32);
  EXPECT_GT(colour[1], 2 * colour[0]);
  // A floor: its far end, above in the picture, is colder than its near end.
  const Picture floor = drawn(square(60, 2), {.view_side = 128, .num_views = 1, .up = UpAxis::kZ});
  const auto warmth = [&](int y) {
    const auto p = pixel(floor, 64, y);
    return static_cast<double>(p[0]) / p[2];
  };
  EXPECT_GT(warmth(76), warmth(52) + 0.1);
}

TEST(Render, TakesTheAxisThatIsUp) {
  // A standing pole: high and narrow in the front view; lying along y it points at the viewer.
  PointCloud pole;
  for (int i = 0; i < 200; ++i) {
    pole.xyz.insert(pole.xyz.end(), {0, static_cast<float>(i), 0});
  }
  const auto rows_drawn = [&](UpAxis up) {
    const Picture picture = drawn(pole, {.view_side = 100, .num_views = 2, .up = up});
    int rows = 0;
    for (int y = 0; y < 100; ++y) {
      rows += pixel(picture, 104 + 50, y) != pixel(picture, 104, y) ? 1 : 0;
    }
    return rows;
  };
  EXPECT_GT(rows_drawn(UpAxis::kY), 80);
  EXPECT_LT(rows_drawn(UpAxis::kZ), 40);
}

TEST(Render, DrawsDegenerateClouds) {
  PointCloud one;
  one.xyz = {3, 3, 3};
  const int dot = num_drawn(drawn(one), 0, 0, 64);
  EXPECT_GT(dot, 4);
  EXPECT_LT(dot, 400);
  PointCloud equal;
  for (int i = 0; i < 500; ++i) equal.xyz.insert(equal.xyz.end(), {-7, 0, 1e20F});
  EXPECT_EQ(num_drawn(drawn(equal), 0, 0, 64), dot);
  PointCloud line;
  for (int i = 0; i < 500; ++i) line.xyz.insert(line.xyz.end(), {static_cast<float>(i), 0, 0});
  EXPECT_GT(num_drawn(drawn(line), 0, 0, 64), 40);
  PointCloud two;
  two.xyz = {0, 0, 0, 1, 1, 1};
  EXPECT_GT(num_drawn(drawn(two), 0, 0, 64), 2);
  PointCloud huge;
  huge.xyz = {-3e38F, 0, 0, 3e38F, 0, 0, 0, 3e38F, 3e38F};
  EXPECT_GT(num_drawn(drawn(huge), 0, 0, 64), 2);
}

TEST(Render, GivesTheSameBytes) {
  const PointCloud cloud = square(50, 1);
  EXPECT_EQ(drawn(cloud).rgb, drawn(cloud).rgb);
}

TEST(Render, RefusesNoPointsAndOddOptions) {
  EXPECT_EQ(render_views({}, kSmall).error().code, ErrorCode::kInvalidArgument);
  EXPECT_THROW(RenderOptions({.num_views = 0}).validate(), Exception);
  EXPECT_THROW(RenderOptions({.num_views = 7}).validate(), Exception);
  EXPECT_THROW(RenderOptions({.view_side = 31}).validate(), Exception);
  EXPECT_THROW(RenderOptions({.view_side = 2049}).validate(), Exception);
}

TEST(Render, SaysWhatItShows) {
  EXPECT_THAT(words_of_views(1), HasSubstr("One 3D object, drawn from the front, the side"));
  EXPECT_THAT(words_of_views(4), HasSubstr("drawn 4 times side by side (from the front, the side "
                                           "and somewhat above; from the front; from the side; "
                                           "from behind and above)"));
}

// A chair seen from the front has a back above the seat and nothing but legs below.
TEST(Render, ShowsAChairAsOne) {
  const auto path = testing::mini_dir() / "media" / "pc" / "chair_8192.npz";
  const PointCloud chair = read_point_cloud(io::read_file(path), "chair").value();
  const Picture picture = drawn(chair, {.view_side = 200, .num_views = 4, .up = UpAxis::kY});
  const auto width_at = [&](int y) {
    int count = 0;
    for (int x = 204; x < 404; ++x) count += pixel(picture, x, y) != pixel(picture, 204, y) ? 1 : 0;
    return count;
  };
  EXPECT_GT(width_at(50), 50);   // back
  EXPECT_GT(width_at(95), 60);   // seat
  EXPECT_LT(width_at(150), 45);  // legs
  EXPECT_GT(width_at(150), 10);
}

}  // namespace
}  // namespace contra4::media
