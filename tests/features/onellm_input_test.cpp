#include "contra4/features/onellm_input.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include <ATen/TensorOperators.h>

#include "contra4/base/error.h"
#include "contra4/features/resize.h"
#include "tests/features/noise.h"

namespace contra4::features {
namespace {

using Shape = std::vector<std::int64_t>;
using Numbers = std::vector<std::int64_t>;

// Paddings and floors of the specification.
constexpr float kPadding = 0.4670324F;
constexpr float kFloor = -1.2775938F;

media::VideoTimeline timeline_of(std::int64_t num_frames, media::Rational fps) {
  media::VideoTimeline timeline{.average_fps = fps,
                                .time_base = {fps.denominator, fps.numerator},
                                .start_ticks = 0,
                                .duration_ticks = num_frames,
                                .frame_pts_ticks = Numbers(static_cast<std::size_t>(num_frames))};
  for (std::int64_t i = 0; i < num_frames; ++i) {
    timeline.frame_pts_ticks[static_cast<std::size_t>(i)] = i;
  }
  return timeline;
}

Numbers frame_numbers(std::int64_t num_frames, media::Rational fps, int divisor = 5) {
  return onellm_frame_numbers(timeline_of(num_frames, fps), {.start_divisor = divisor}).value();
}

TEST(OneLlmImage, IsTheSquareInTheMiddle) {
  const media::Picture picture = noise_picture(300, 200);
  const at::Tensor image = onellm_image(picture);
  ASSERT_EQ(image.sizes().vec(), (Shape{3, 224, 224}));
  const at::Tensor all =
      to_normalized_tensor(resize_bicubic(picture, {224, 336}), kClipNormalization);
  EXPECT_TRUE(image.equal(all.narrow(2, 56, 224)));
}

TEST(OneLlmImage, TakesPicturesOfAnyShape) {
  for (const auto& [width, height] : {std::pair(1, 1), std::pair(5000, 1), std::pair(1, 5000)}) {
    EXPECT_EQ(onellm_image(noise_picture(width, height)).sizes().vec(), (Shape{3, 224, 224}));
  }
}

TEST(OneLlmAudio, FillsAShortSoundBehind) {
  const media::Sound sound{16000, 1, noise_samples(16000)};
  const at::Tensor audio = onellm_audio(sound).value();
  ASSERT_EQ(audio.sizes().vec(), (Shape{1, 128, 1024}));
  const at::Tensor padding = audio.narrow(2, 98, 1024 - 98);
  EXPECT_LT((padding - kPadding).abs().max().item<float>(), 1e-6);
  EXPECT_NEAR(audio[0][3][0].item<float>(), kFloor, 1e-6);
  EXPECT_GT(audio[0][100][97].item<float>(), kPadding);
}

TEST(OneLlmAudio, KeepsTheFirstTenSeconds) {
  std::vector<float> samples = noise_samples(16000 * 11);
  const at::Tensor whole = onellm_audio({16000, 1, samples}).value();
  // The last frame that is kept ends with sample 164,080.
  std::fill(samples.begin() + 164'080, samples.end(), samples[0]);
  const at::Tensor changed = onellm_audio({16000, 1, samples}).value();
  EXPECT_TRUE(whole.allclose(changed, 0, 2e-3)) << "only the mean changes";
  samples[164'079] = 0.9F;
  EXPECT_FALSE(onellm_audio({16000, 1, samples}).value().allclose(changed, 0, 2e-3));
}

TEST(OneLlmAudio, HearsTheFirstChannel) {
  const std::vector<float> left = noise_samples(8000);
  std::vector<float> both = left;
  both.insert(both.end(), 8000, 0.25F);
  const at::Tensor mono = onellm_audio({16000, 1, left}).value();
  const at::Tensor stereo = onellm_audio({16000, 2, both}).value();
  EXPECT_TRUE(mono.allclose(stereo, 0, 2e-3));
}

TEST(OneLlmAudio, TakesOtherRates) {
  for (const int rate : {8000, 11025, 22050, 44100, 48000, 96000}) {
    const media::Sound sound{rate, 1, noise_samples(static_cast<std::size_t>(rate))};
    const at::Tensor audio = onellm_audio(sound).value();
    EXPECT_GT(std::abs(audio[0][10][97].item<float>() - kPadding), 1e-3) << rate;
    EXPECT_NEAR(audio[0][10][98].item<float>(), kPadding, 1e-6) << rate << ": one second";
  }
}

TEST(OneLlmAudio, RefusesWhatIsNoSound) {
  const auto message = [](const media::Sound& sound) {
    const Result<at::Tensor> result = onellm_audio(sound);
    EXPECT_FALSE(result.has_value());
    EXPECT_EQ(result.error().code, ErrorCode::kInvalidArgument);
    return result.error().message;
  };
  EXPECT_EQ(message({16000, 1, noise_samples(399)}),
            "[onellm_audio] 399 samples at 16000 Hz are less than 25 ms");
  EXPECT_EQ(message({44100, 2, noise_samples(2 * 1099)}),
            "[onellm_audio] 1099 samples at 44100 Hz are less than 25 ms");
  EXPECT_EQ(message({16000, 0, {}}), "[onellm_audio] 0 samples at 16000 Hz are less than 25 ms");
  EXPECT_EQ(message({0, 1, noise_samples(500)}),
            "[onellm_audio] a sample rate of 0 Hz is not between 1 and 768000");
  std::vector<float> samples = noise_samples(500);
  samples[77] = std::numeric_limits<float>::quiet_NaN();
  EXPECT_EQ(message({16000, 1, samples}),
            "[onellm_audio] the sound has samples that are no numbers");
}

// Computed with Python's fractions.
TEST(OneLlmFrameNumbers, AreThePublishedOnes) {
  EXPECT_EQ(frame_numbers(300, {30, 1}), (Numbers{0, 54, 108, 162, 216}));
  EXPECT_EQ(frame_numbers(108, {12, 1}), (Numbers{0, 20, 39, 58, 77}));
  EXPECT_EQ(frame_numbers(430, {30000, 1001}), (Numbers{0, 81, 161, 241, 321}));
  EXPECT_EQ(frame_numbers(430, {30000, 1001}, 4), (Numbers{0, 101, 201, 301, 401}));
  EXPECT_EQ(frame_numbers(26, {25, 1}, 4), (Numbers{0, 1, 1, 1, 2}));
}

TEST(OneLlmFrameNumbers, StayTheFirstInAVideoBelowOneSecond) {
  EXPECT_EQ(frame_numbers(1, {25, 1}), (Numbers{0, 0, 0, 0, 0}));
  EXPECT_EQ(frame_numbers(25, {25, 1}), (Numbers{0, 0, 0, 0, 0}));
}

// Here a time that was rounded twice gives the frame behind.
TEST(OneLlmFrameNumbers, ComeFromExactTimes) {
  EXPECT_EQ(frame_numbers(130, {25, 1}), (Numbers{0, 22, 43, 63, 85}));
  EXPECT_EQ(frame_numbers(865, {25, 1}), (Numbers{0, 169, 337, 504, 673}));
  std::int64_t sum = 0;
  for (const media::Rational fps :
       {media::Rational{25, 1}, media::Rational{30, 1}, media::Rational{30000, 1001},
        media::Rational{24000, 1001}, media::Rational{15, 1}, media::Rational{12, 1},
        media::Rational{50, 1}, media::Rational{60, 1}}) {
    for (std::int64_t num_frames = 1; num_frames < 1500; ++num_frames) {
      for (const int divisor : {5, 4}) {
        const Numbers numbers = frame_numbers(num_frames, fps, divisor);
        for (std::size_t i = 0; i < numbers.size(); ++i) {
          sum += static_cast<std::int64_t>(i + 1) * numbers[i];
        }
      }
    }
  }
  EXPECT_EQ(sum, 155'477'497);
}

TEST(OneLlmFrameNumbers, NeverPassTheLastFrame) {
  EXPECT_EQ(frame_numbers(3, {1, 2}, 4), (Numbers{0, 1, 2, 2, 2}));
  EXPECT_EQ(frame_numbers(2, {1, 1'000'000}), (Numbers{0, 1, 1, 1, 1}));
}

TEST(OneLlmFrameNumbers, RefuseAVideoWithoutFramesOrRate) {
  const auto code = [](const media::VideoTimeline& timeline) {
    const auto numbers = onellm_frame_numbers(timeline, {});
    EXPECT_FALSE(numbers.has_value());
    return numbers.error().code;
  };
  EXPECT_EQ(code(timeline_of(0, {25, 1})), ErrorCode::kDataLoss);
  EXPECT_EQ(code(timeline_of(5, {0, 1})), ErrorCode::kDataLoss);
  EXPECT_EQ(code(timeline_of(5, {25, 0})), ErrorCode::kDataLoss);
}

TEST(OneLlmVideo, IsThreeSquaresOfEachFrame) {
  const std::vector<media::Picture> frames = {noise_picture(320, 240), noise_picture(100, 300),
                                              noise_picture(224, 224), noise_picture(320, 240),
                                              noise_picture(2, 1)};
  const at::Tensor video = onellm_video(frames);
  ASSERT_EQ(video.sizes().vec(), (Shape{15, 3, 224, 224}));
  at::Tensor wide = resize_bilinear(frames[0], {224, 298}, whole({224, 298}));
  normalize(wide, kClipNormalization);
  const std::int64_t lefts[] = {0, 37, 74};
  for (int i = 0; i < 3; ++i) {
    EXPECT_TRUE(video[i].equal(wide.narrow(2, lefts[i], 224))) << i;
    EXPECT_TRUE(video[9 + i].equal(video[i])) << i;
  }
  at::Tensor high = resize_bilinear(frames[1], {672, 224}, whole({672, 224}));
  normalize(high, kClipNormalization);
  const std::int64_t tops[] = {0, 224, 448};
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(video[3 + i].equal(high.narrow(1, tops[i], 224))) << i;
  EXPECT_TRUE(video[6].equal(video[7]) && video[7].equal(video[8])) << "a square frame";
}

TEST(OneLlmVideo, WantsFiveFrames) {
  const std::vector<media::Picture> frames(4, noise_picture(8, 8));
  EXPECT_THROW(onellm_video(frames), Exception);
}

media::PointCloud cloud_of(std::size_t num_points) {
  return {.xyz = noise_samples(num_points * 3), .rgb = {}};
}

TEST(OneLlmPoints, LieInTheUnitBallAndAsTheyAre) {
  const media::PointCloud cloud = cloud_of(8192);
  const at::Tensor points = onellm_points(cloud).value();
  ASSERT_EQ(points.sizes().vec(), (Shape{16384, 6}));
  EXPECT_TRUE(points.narrow(0, 0, 8192).equal(points.narrow(0, 8192, 8192)));
  const at::Tensor inside = points.narrow(0, 0, 8192).narrow(1, 0, 3);
  EXPECT_NEAR(inside.square().sum(1).max().item<float>(), 1, 1e-5);
  EXPECT_LT(inside.mean(0).abs().max().item<float>(), 1e-5);
  for (const std::int64_t i : {0, 1, 8191}) {
    for (std::int64_t c = 0; c < 3; ++c) {
      EXPECT_EQ(points[i][3 + c].item<float>(), cloud.xyz[static_cast<std::size_t>(i * 3 + c)]);
    }
  }
}

TEST(OneLlmPoints, TakeEvenlyFromOtherNumbers) {
  const media::PointCloud many = cloud_of(3 * 8192);
  const at::Tensor of_many = onellm_points(many).value();
  EXPECT_EQ(of_many[0][3].item<float>(), many.xyz[0]);
  EXPECT_EQ(of_many[1][3].item<float>(), many.xyz[9]);
  EXPECT_EQ(of_many[8191][5].item<float>(), many.xyz[std::size_t{3} * 8191 * 3 + 2]);
  const media::PointCloud few = cloud_of(2);
  const at::Tensor of_few = onellm_points(few).value();
  EXPECT_EQ(of_few[4095][3].item<float>(), few.xyz[0]);
  EXPECT_EQ(of_few[4096][3].item<float>(), few.xyz[3]);
  EXPECT_NEAR(of_few.narrow(1, 0, 3).square().sum(1).min().item<float>(), 1, 1e-5);
}

TEST(OneLlmPoints, RefuseWhatHasNoShape) {
  const auto message = [](const media::PointCloud& cloud) {
    const Result<at::Tensor> result = onellm_points(cloud);
    EXPECT_FALSE(result.has_value());
    EXPECT_EQ(result.error().code, ErrorCode::kInvalidArgument);
    return result.error().message;
  };
  EXPECT_EQ(message({}), "[onellm_points] the point cloud has no points");
  EXPECT_EQ(message({.xyz = {1, 2, 3, 1, 2, 3}, .rgb = {}}),
            "[onellm_points] all points of the cloud lie at one place");
  media::PointCloud cloud = cloud_of(8192);
  cloud.xyz[100] = std::numeric_limits<float>::infinity();
  EXPECT_EQ(message(cloud), "[onellm_points] the point cloud has coordinates that are no numbers");
}

}  // namespace
}  // namespace contra4::features
