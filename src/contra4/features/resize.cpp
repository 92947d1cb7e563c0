#include "contra4/features/resize.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <vector>

#include <ATen/ops/empty.h>

#include "contra4/base/error.h"

namespace contra4::features {

namespace {

constexpr int kChannels = 3;
constexpr int kCoefficientBits = 22;  // 32, less 8 of the value and 2 for sums beyond 255

// One output pixel: so many input pixels from `first` on.
struct Taps {
  std::int64_t first = 0;
  std::vector<std::int32_t> weights;
};

double cubic(double x) {
  constexpr double kA = -0.5;
  x = std::abs(x);
  if (x < 1) return ((kA + 2) * x - (kA + 3)) * x * x + 1;
  if (x < 2) return (((x - 5) * x + 8) * x - 4) * kA;
  return 0;
}

// Output pixels [begin, begin + count) of an axis.
std::vector<Taps> taps_of_axis(std::int64_t from, std::int64_t to, std::int64_t begin,
                               std::int64_t count) {
  const double scale = static_cast<double>(from) / static_cast<double>(to);
  const double stretch = std::max(scale, 1.0);
  const double support = 2 * stretch;
  std::vector<Taps> axis(static_cast<std::size_t>(count));
  std::vector<double> weights;
  for (std::int64_t i = 0; i < count; ++i) {
    const double center = (static_cast<double>(begin + i) + 0.5) * scale;
    const auto first =
        std::max<std::int64_t>(static_cast<std::int64_t>(std::floor(center - support + 0.5)), 0);
    const auto last = std::min(static_cast<std::int64_t>(std::floor(center + support + 0.5)), from);
    weights.clear();
    double sum = 0;
    for (std::int64_t x = first; x < last; ++x) {
      const double at = (static_cast<double>(x) - center + 0.5) * (1 / stretch);
      weights.push_back(cubic(at));
      sum += weights.back();
    }
    Taps& taps = axis[static_cast<std::size_t>(i)];
    taps.first = first;
    for (const double weight : weights) {
      const double fixed = (sum == 0 ? weight : weight / sum) * (1 << kCoefficientBits);
      taps.weights.push_back(static_cast<std::int32_t>(fixed < 0 ? fixed - 0.5 : fixed + 0.5));
    }
  }
  return axis;
}

constexpr std::int32_t kHalf = 1 << (kCoefficientBits - 1);

std::uint8_t to_byte(std::int32_t sum) {
  return static_cast<std::uint8_t>(std::clamp(sum >> kCoefficientBits, 0, 255));
}

// Rows [first_row, first_row + num_rows) of `from`, each to the pixels of `axis`.
media::Picture resize_rows(const media::Picture& from, const std::vector<Taps>& axis,
                           std::int64_t first_row, std::int64_t num_rows) {
  media::Picture to{
      .width = static_cast<int>(axis.size()), .height = static_cast<int>(num_rows), .rgb = {}};
  to.rgb.resize(axis.size() * static_cast<std::size_t>(num_rows) * kChannels);
  std::uint8_t* out = to.rgb.data();
  for (std::int64_t y = 0; y < num_rows; ++y) {
    const std::uint8_t* row = from.rgb.data() + (first_row + y) * from.width * kChannels;
    for (const Taps& taps : axis) {
      const std::uint8_t* in = row + taps.first * kChannels;
      std::int32_t red = kHalf;
      std::int32_t green = kHalf;
      std::int32_t blue = kHalf;
      for (const std::int32_t weight : taps.weights) {
        red += weight * in[0];
        green += weight * in[1];
        blue += weight * in[2];
        in += kChannels;
      }
      *out++ = to_byte(red);
      *out++ = to_byte(green);
      *out++ = to_byte(blue);
    }
  }
  return to;
}

// The columns of `from`, which begins at row `first_row` of the picture that `axis` counts in.
media::Picture resize_columns(const media::Picture& from, const std::vector<Taps>& axis,
                              std::int64_t first_row) {
  const auto row_bytes = static_cast<std::size_t>(from.width) * kChannels;
  media::Picture to{.width = from.width, .height = static_cast<int>(axis.size()), .rgb = {}};
  to.rgb.resize(axis.size() * row_bytes);
  std::vector<std::int32_t> sums(row_bytes);
  std::uint8_t* out = to.rgb.data();
  for (const Taps& taps : axis) {
    std::fill(sums.begin(), sums.end(), kHalf);
    const std::uint8_t* in =
        from.rgb.data() + static_cast<std::size_t>(taps.first - first_row) * row_bytes;
    for (const std::int32_t weight : taps.weights) {
      for (std::size_t i = 0; i < row_bytes; ++i) sums[i] += weight * in[i];
      in += row_bytes;
    }
    for (std::size_t i = 0; i < row_bytes; ++i) out[i] = to_byte(sums[i]);
    out += row_bytes;
  }
  return to;
}

// Pixels of an axis as they are.
std::vector<Taps> same_axis(std::int64_t begin, std::int64_t count) {
  std::vector<Taps> axis;
  for (std::int64_t i = 0; i < count; ++i) axis.push_back({begin + i, {1 << kCoefficientBits}});
  return axis;
}

void check_window(const media::Picture& picture, const Size& size, const Window& window) {
  CONTRA4_CHECK(picture.width > 0 && picture.height > 0 &&
                    picture.rgb.size() == static_cast<std::size_t>(picture.width) *
                                              static_cast<std::size_t>(picture.height) * kChannels,
                "a picture with all its pixels");
  CONTRA4_CHECK(window.top >= 0 && window.left >= 0 && window.height > 0 && window.width > 0 &&
                    window.top + window.height <= size.height &&
                    window.left + window.width <= size.width,
                "a window inside the picture");
}

// Where an output pixel of a bilinear axis lies between two input pixels.
struct Between {
  std::int64_t low = 0;
  std::int64_t high = 0;
  float low_weight = 1;
  float high_weight = 0;
};

std::vector<Between> bilinear_axis(std::int64_t from, std::int64_t to, std::int64_t begin,
                                   std::int64_t count) {
  const float scale = static_cast<float>(from) / static_cast<float>(to);
  std::vector<Between> axis(static_cast<std::size_t>(count));
  for (std::int64_t i = 0; i < count; ++i) {
    const float at = std::max(scale * (static_cast<float>(begin + i) + 0.5F) - 0.5F, 0.0F);
    Between& between = axis[static_cast<std::size_t>(i)];
    between.low = std::min(static_cast<std::int64_t>(at), from - 1);
    between.high = std::min(between.low + 1, from - 1);
    between.high_weight = std::min(at - static_cast<float>(between.low), 1.0F);
    between.low_weight = 1 - between.high_weight;
  }
  return axis;
}

}  // namespace

Size size_of(const media::Picture& picture) {
  return {picture.height, picture.width};
}

Size scaled_to_shorter_side(const Size& size, std::int64_t shorter) {
  CONTRA4_CHECK(size.height > 0 && size.width > 0 && shorter > 0, "a picture with pixels");
  if (size.height < size.width) return {shorter, shorter * size.width / size.height};
  return {shorter * size.height / size.width, shorter};
}

Window whole(const Size& size) {
  return {.top = 0, .left = 0, .height = size.height, .width = size.width};
}

Window center_square(const Size& size, std::int64_t side) {
  CONTRA4_CHECK(size.height >= side && size.width >= side, "a picture as large as its crop");
  const auto offset = [side](std::int64_t length) {
    const std::int64_t room = length - side;
    // Half to even.
    return room / 2 + (room % 4 == 3 ? 1 : 0);
  };
  return {.top = offset(size.height), .left = offset(size.width), .height = side, .width = side};
}

media::Picture resize_bicubic(const media::Picture& picture, const Size& size,
                              const Window& window) {
  check_window(picture, size, window);
  const std::vector<Taps> columns =
      size.width == picture.width
          ? same_axis(window.left, window.width)
          : taps_of_axis(picture.width, size.width, window.left, window.width);
  const std::vector<Taps> rows =
      size.height == picture.height
          ? same_axis(window.top, window.height)
          : taps_of_axis(picture.height, size.height, window.top, window.height);
  const std::int64_t first_row = rows.front().first;
  const std::int64_t last_row =
      rows.back().first + static_cast<std::int64_t>(rows.back().weights.size());
  return resize_columns(resize_rows(picture, columns, first_row, last_row - first_row), rows,
                        first_row);
}

media::Picture resize_bicubic(const media::Picture& picture, const Size& size) {
  return resize_bicubic(picture, size, whole(size));
}

at::Tensor resize_bilinear(const media::Picture& picture, const Size& size, const Window& window) {
  check_window(picture, size, window);
  const std::vector<Between> rows =
      bilinear_axis(picture.height, size.height, window.top, window.height);
  const std::vector<Between> columns =
      bilinear_axis(picture.width, size.width, window.left, window.width);
  at::Tensor result = at::empty({kChannels, window.height, window.width}, at::kFloat);
  float* out = result.data_ptr<float>();
  const std::int64_t plane = window.height * window.width;
  const auto row_at = [&](std::int64_t y) {
    return picture.rgb.data() + y * picture.width * kChannels;
  };
  const auto value = [](const std::uint8_t* pixel, int channel) {
    return static_cast<float>(pixel[channel]) / 255.0F;
  };
  for (const Between& y : rows) {
    const std::uint8_t* upper = row_at(y.low);
    const std::uint8_t* lower = row_at(y.high);
    for (const Between& x : columns) {
      const std::int64_t low = x.low * kChannels;
      const std::int64_t high = x.high * kChannels;
      for (int c = 0; c < kChannels; ++c) {
        const float above =
            x.low_weight * value(upper + low, c) + x.high_weight * value(upper + high, c);
        const float below =
            x.low_weight * value(lower + low, c) + x.high_weight * value(lower + high, c);
        out[c * plane] = y.low_weight * above + y.high_weight * below;
      }
      ++out;
    }
  }
  return result;
}

at::Tensor to_normalized_tensor(const media::Picture& picture, const Normalization& normalization) {
  check_window(picture, size_of(picture), whole(size_of(picture)));
  const std::int64_t plane = std::int64_t{picture.width} * picture.height;
  at::Tensor result = at::empty({kChannels, picture.height, picture.width}, at::kFloat);
  float* out = result.data_ptr<float>();
  for (int c = 0; c < kChannels; ++c) {
    float of_value[256];
    for (int value = 0; value < 256; ++value) {
      of_value[value] =
          (static_cast<float>(value) / 255.0F - normalization.mean[c]) / normalization.deviation[c];
    }
    const std::uint8_t* in = picture.rgb.data() + c;
    for (std::int64_t i = 0; i < plane; ++i, in += kChannels) *out++ = of_value[*in];
  }
  return result;
}

void normalize(at::Tensor& channels, const Normalization& normalization) {
  for (int c = 0; c < kChannels; ++c) {
    channels[c].sub_(normalization.mean[c]).div_(normalization.deviation[c]);
  }
}

}  // namespace contra4::features
