#include "contra4/media/encode.h"

#include <string>

#include <gtest/gtest.h>

namespace contra4::media {
namespace {

TEST(Base64, IsTheStandardOneWithPadding) {
  EXPECT_EQ(base64_encode(""), "");
  EXPECT_EQ(base64_encode("f"), "Zg==");
  EXPECT_EQ(base64_encode("fo"), "Zm8=");
  EXPECT_EQ(base64_encode("foo"), "Zm9v");
  EXPECT_EQ(base64_encode("foobar"), "Zm9vYmFy");
  EXPECT_EQ(base64_encode(std::string("\0\xff\xfe", 3)), "AP/+");
}

TEST(Base64, HasNoPaddingBetweenBlocks) {
  const std::string bytes((3U << 20) + 1, 'a');
  const std::string text = base64_encode(bytes);
  EXPECT_EQ(text.size(), (bytes.size() + 2) / 3 * 4);
  EXPECT_EQ(text.find('='), text.size() - 2);
  EXPECT_EQ(text.find('\0'), std::string::npos);
}

TEST(DataUrl, CarriesTheType) {
  EXPECT_EQ(data_url({.mime_type = "image/png", .base64 = "Zg==", .format = "png", .words = ""}),
            "data:image/png;base64,Zg==");
}

}  // namespace
}  // namespace contra4::media
