#include "contra4/media/decoder.h"

#include <gtest/gtest.h>

#include "tests/media/codec_fixtures.h"

namespace contra4::media {
namespace {

TEST(Decoder, OpensTheModuleBesideTheProgram) {
  const MediaDecoder& decoder = media_decoder();
  const auto picture = decoder.decode_picture(fixture_bytes("rgb.jpg"), "rgb.jpg", {});
  ASSERT_TRUE(picture) << picture.error().message;
  EXPECT_EQ(summary(*picture), "37x23 695ebcdde6b59028");
}

TEST(Decoder, IsOneForTheProcess) {
  EXPECT_EQ(&media_decoder(), &media_decoder());
}

}  // namespace
}  // namespace contra4::media
