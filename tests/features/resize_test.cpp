#include "contra4/features/resize.h"

#include <algorithm>
#include <cmath>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include "contra4/base/error.h"
#include "contra4/base/hash.h"
#include "tests/features/noise.h"
#include "tests/support/error_of.h"

namespace contra4::features {
namespace {

std::string hash_of(const media::Picture& picture) {
  return sha256_hex({reinterpret_cast<const char*>(picture.rgb.data()), picture.rgb.size()});
}

media::Picture part_of(const media::Picture& picture, const Window& window) {
  media::Picture part{.width = static_cast<int>(window.width),
                      .height = static_cast<int>(window.height),
                      .rgb = {}};
  for (std::int64_t y = window.top; y < window.top + window.height; ++y) {
    const auto row = picture.rgb.begin() + (y * picture.width + window.left) * 3;
    part.rgb.insert(part.rgb.end(), row, row + window.width * 3);
  }
  return part;
}

struct Resized {
  int width;
  int height;
  Size to;
  std::string_view sha256;  // of the pixels that Pillow 9.4 gives
};

class BicubicResize : public ::testing::TestWithParam<Resized> {};

TEST_P(BicubicResize, HasTheBitsOfPillow) {
  const Resized& resized = GetParam();
  const media::Picture result =
      resize_bicubic(noise_picture(resized.width, resized.height), resized.to);
  EXPECT_EQ(result.width, resized.to.width);
  EXPECT_EQ(result.height, resized.to.height);
  EXPECT_EQ(hash_of(result), resized.sha256);
}

INSTANTIATE_TEST_SUITE_P(
    Shapes, BicubicResize,
    ::testing::Values(
        Resized{
            97, 61, {23, 40}, "758b4aed4b3dd1c65edf68726854155a2c358b3c9840d183b3d7d9a0ee7c53bb"},
        Resized{
            97, 61, {224, 224}, "6b2c76d9b361dcabd6f2f1859b0addcfbc5c5629da684ccf4d5338513ac2a22e"},
        Resized{
            97, 61, {23, 97}, "355309d4346a52f335ee1f881171f83ece0634d766d198019097fdeb61f92f55"},
        Resized{
            97, 61, {61, 97}, "2bd07f38ba822c7b630d44378fd010e40ad80f79308db61d4e0e7a1d9a7a49d2"},
        Resized{1, 1, {5, 7}, "95ca2ee491ca96cd1300fdd66d1b62589630d39c88985686469ea2216f9ddcb6"},
        Resized{3, 200, {7, 5}, "921d59ba5af97e6a4c3c5a4e834a2cf5cc451bc4cece4631625897e78b7c10c0"},
        Resized{2, 2, {3, 3}, "319ccfae8d2b79cc009630b4b8d963433c8d165e71ddb50ff94b61fb9efc1ec6"},
        Resized{640,
                427,
                {224, 335},
                "064ea828a28a6592721dde1d7ef8537f8e8a4211f8fcaad67589fc19ec57c2a1"}));

TEST(BicubicResize, GivesPartsOfTheWhole) {
  const media::Picture picture = noise_picture(97, 61);
  for (const Size to : {Size{30, 41}, Size{224, 356}, Size{61, 200}, Size{20, 97}, Size{61, 97}}) {
    const media::Picture all = resize_bicubic(picture, to);
    for (const Window& window :
         {Window{0, 0, 1, 1}, Window{3, 5, 11, 7}, Window{to.height - 4, to.width - 9, 4, 9}}) {
      EXPECT_EQ(resize_bicubic(picture, to, window).rgb, part_of(all, window).rgb)
          << to.width << " x " << to.height;
    }
  }
}

// Whole, these would have 15 GB.
TEST(BicubicResize, OfAThinPictureCostsNoMoreThanItsCrop) {
  for (const media::Picture& picture : {noise_picture(1, 100'000), noise_picture(100'000, 1)}) {
    const Size size = scaled_to_shorter_side(size_of(picture), 224);
    EXPECT_EQ(size.height * size.width, 224LL * 22'400'000);
    const media::Picture square = resize_bicubic(picture, size, center_square(size, 224));
    EXPECT_EQ(square.rgb.size(), 224U * 224U * 3U);
  }
}

TEST(BicubicResize, RefusesWindowsOutsideAndPicturesWithoutPixels) {
  const media::Picture picture = noise_picture(4, 4);
  const auto code = [](const std::function<void()>& action) {
    return testing::error_of(action).code;
  };
  EXPECT_EQ(code([&] { resize_bicubic(picture, {2, 2}, {0, 1, 2, 2}); }), ErrorCode::kInternal);
  EXPECT_EQ(code([&] { resize_bicubic(picture, {2, 2}, {-1, 0, 2, 2}); }), ErrorCode::kInternal);
  EXPECT_EQ(code([&] { resize_bicubic({}, {2, 2}); }), ErrorCode::kInternal);
  EXPECT_EQ(code([&] {
              resize_bicubic({4, 4, std::vector<std::uint8_t>(47)}, {2, 2});
            }),
            ErrorCode::kInternal);
}

TEST(ScaledSize, CutsTheLongerSide) {
  const auto scaled = [](std::int64_t height, std::int64_t width) {
    const Size size = scaled_to_shorter_side({height, width}, 224);
    return std::pair(size.height, size.width);
  };
  EXPECT_EQ(scaled(240, 320), std::pair(224L, 298L));
  EXPECT_EQ(scaled(427, 640), std::pair(224L, 335L));
  EXPECT_EQ(scaled(500, 333), std::pair(336L, 224L));
  EXPECT_EQ(scaled(10, 10), std::pair(224L, 224L));
}

TEST(CenterSquare, RoundsHalfOffsetsToEven) {
  const auto left = [](std::int64_t width) { return center_square({224, width}, 224).left; };
  EXPECT_EQ(left(224), 0);
  EXPECT_EQ(left(225), 0);  // .5
  EXPECT_EQ(left(226), 1);
  EXPECT_EQ(left(227), 2);                           // 1.5
  EXPECT_EQ(left(229), 2);                           // 2.5
  EXPECT_EQ(left(335), 56);                          // 55.5
  EXPECT_EQ(center_square({231, 224}, 224).top, 4);  // 3.5
}

TEST(BilinearResize, HasTheValuesOfTorch) {
  const media::Picture picture = noise_picture(7, 5);
  const auto values = [&](const Size& size) {
    const at::Tensor all = resize_bilinear(picture, size, whole(size));
    EXPECT_EQ(all.sizes().vec(), (std::vector<std::int64_t>{3, size.height, size.width}));
    const float* data = all.const_data_ptr<float>();
    const auto at = [&](std::int64_t c, std::int64_t y, std::int64_t x) {
      return data[(c * size.height + y) * size.width + x];
    };
    return std::vector<float>{at(0, 0, 0), at(1, 1, 2), at(2, size.height - 1, size.width - 1),
                              at(0, 2, 1)};
  };
  const auto expect_near = [](const std::vector<float>& found, const std::vector<float>& expected) {
    for (std::size_t i = 0; i < expected.size(); ++i) EXPECT_NEAR(found[i], expected[i], 1e-6) << i;
  };
  expect_near(values({3, 4}), {0.3119281F, 0.1397059F, 0.4367647F, 0.8313725F});
  expect_near(values({11, 9}), {0.2352941F, 0.3168152F, 0.6627451F, 0.2761735F});
}

TEST(BilinearResize, GivesPartsOfTheWhole) {
  const media::Picture picture = noise_picture(17, 9);
  const Size size{20, 31};
  const at::Tensor all = resize_bilinear(picture, size, whole(size));
  const at::Tensor part = resize_bilinear(picture, size, {3, 5, 10, 12});
  EXPECT_TRUE(part.equal(all.narrow(1, 3, 10).narrow(2, 5, 12)));
}

TEST(NormalizedTensor, HoldsChannelsOneBehindTheOther) {
  const media::Picture picture{2, 1, {0, 255, 10, 128, 1, 255}};
  const at::Tensor tensor = to_normalized_tensor(picture, kClipNormalization);
  ASSERT_EQ(tensor.sizes().vec(), (std::vector<std::int64_t>{3, 1, 2}));
  const float* data = tensor.const_data_ptr<float>();
  const double bytes[3][2] = {{0, 128}, {255, 1}, {10, 255}};
  const double mean[3] = {0.48145466, 0.4578275, 0.40821073};
  const double deviation[3] = {0.26862954, 0.26130258, 0.27577711};
  for (int c = 0; c < 3; ++c) {
    for (int x = 0; x < 2; ++x) {
      EXPECT_NEAR(*data++, (bytes[c][x] / 255 - mean[c]) / deviation[c], 1e-6) << c << ' ' << x;
    }
  }
  at::Tensor channels = resize_bilinear(picture, {1, 2}, {0, 0, 1, 2});
  normalize(channels, kClipNormalization);
  EXPECT_TRUE(channels.allclose(tensor, 0, 1e-6));
}

}  // namespace
}  // namespace contra4::features
