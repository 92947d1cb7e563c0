#include "contra4/media/file_type.h"

#include <algorithm>
#include <string>
#include <string_view>

#include <gtest/gtest.h>

namespace contra4::media {
namespace {

std::string bytes(std::string_view start, std::size_t size = 64) {
  std::string text(start);
  text.resize(std::max(size, text.size()), '\0');
  return text;
}

// ISO base media: a first box of 24 bytes.
std::string iso(std::string_view box, std::string_view brand) {
  return bytes(std::string("\0\0\0\x18", 4) + std::string(box) + std::string(brand));
}

// A zip whose first member has that name.
std::string zip(const std::string& name) {
  std::string text = std::string("PK\x03\x04", 4) + std::string(26, '\0') + name;
  text[26] = static_cast<char>(name.size() & 0xff);
  text[27] = static_cast<char>(name.size() >> 8);
  return text;
}

std::string mime_of(const std::string& head) {
  const auto type = detect_file_type(head);
  return type ? std::string(type->mime_type) : "unknown";
}

TEST(FileType, KnowsPictures) {
  EXPECT_EQ(mime_of(bytes("\x89PNG\r\n\x1a\n")), "image/png");
  EXPECT_EQ(mime_of(bytes("\xff\xd8\xff\xe0")), "image/jpeg");
  EXPECT_EQ(mime_of(bytes("GIF87a")), "image/gif");
  EXPECT_EQ(mime_of(bytes("GIF89a")), "image/gif");
  EXPECT_EQ(mime_of(bytes(std::string("RIFF\x10\0\0\0WEBPVP8 ", 16))), "image/webp");
}

TEST(FileType, KnowsPicturesThatServersRefuse) {
  EXPECT_EQ(mime_of(bytes(std::string("II*\0", 4))), "image/tiff");
  EXPECT_EQ(mime_of(bytes(std::string("MM\0*", 4))), "image/tiff");
  const std::string bmp = std::string("BM\x36\x10\0\0\0\0\0\0\x36\0\0\0\x28\0\0\0", 18);
  EXPECT_EQ(mime_of(bytes(bmp)), "image/bmp");
  EXPECT_EQ(mime_of(bytes("BMW makes cars, and this is a text about them.")), "unknown");
}

TEST(FileType, KnowsObjByItsKeywordsAlone) {
  EXPECT_EQ(mime_of("# a cube\nmtllib cube.mtl\n\no cube\nv 1.0 -1 0\n"), "model/obj");
  EXPECT_EQ(mime_of("v -1 2 3 0.5 0.5 0.5\r\nv 1 2 3\r\n"), "model/obj");
  EXPECT_EQ(mime_of("# words only\n"), "unknown");
  EXPECT_EQ(mime_of("v is a letter\n"), "unknown");
  EXPECT_EQ(mime_of("v 1 2 3\nand some words\n"), "unknown");
  EXPECT_EQ(mime_of(std::string("v 1 2 3\n\0\n", 10)), "unknown");
  std::string cut = "#" + std::string(kFileTypeBytes - 13, ' ') + "\nv 1 2 3\nuse";
  cut.resize(kFileTypeBytes);
  EXPECT_EQ(mime_of(cut), "model/obj");
}

TEST(FileType, KnowsSounds) {
  EXPECT_EQ(mime_of(bytes(std::string("RIFF\x10\0\0\0WAVEfmt ", 16))), "audio/wav");
  EXPECT_EQ(mime_of(bytes("RF64\xff\xff\xff\xffWAVE")), "audio/wav");
  EXPECT_EQ(mime_of(bytes("fLaC")), "audio/flac");
  EXPECT_EQ(mime_of(bytes("OggS")), "audio/ogg");
  EXPECT_EQ(mime_of(bytes("ID3\x04")), "audio/mpeg");
  EXPECT_EQ(mime_of(bytes("\xff\xfb\x90\x44")), "audio/mpeg");
  EXPECT_EQ(mime_of(iso("ftyp", "M4A ")), "audio/mp4");
}

TEST(FileType, KnowsVideos) {
  EXPECT_EQ(mime_of(bytes(std::string("RIFF\x10\0\0\0AVI LIST", 16))), "video/x-msvideo");
  EXPECT_EQ(mime_of(iso("ftyp", "isom")), "video/mp4");
  EXPECT_EQ(mime_of(iso("ftyp", "mp42")), "video/mp4");
  EXPECT_EQ(mime_of(iso("ftyp", "qt  ")), "video/quicktime");
  EXPECT_EQ(mime_of(iso("moov", "")), "video/quicktime");
  const std::string ebml = std::string("\x1a\x45\xdf\xa3\x9f\x42\x82\x84", 8);
  EXPECT_EQ(mime_of(bytes(ebml + "webm")), "video/webm");
  EXPECT_EQ(mime_of(bytes(ebml + "matroska")), "video/x-matroska");
}

TEST(FileType, KnowsPointClouds) {
  EXPECT_EQ(detect_file_type(zip("arr_0.npy"))->format, "npz");
  EXPECT_EQ(detect_file_type(bytes("\x93NUMPY\x01"))->format, "npy");
  EXPECT_EQ(detect_file_type(bytes("ply\nformat ascii 1.0"))->format, "ply");
  EXPECT_EQ(detect_file_type(bytes("ply\r\nformat"))->file_class, FileClass::kPoints);
}

TEST(FileType, KnowsNothingElse) {
  for (const std::string& head : {
           std::string(),
           std::string("x"),
           bytes("<html><body>404</body></html>"),
           bytes("{\"error\": 1}"),
           bytes("plywood is no ply file"),
           bytes(""),
           zip("word/document.xml"),  // another zip
           zip("x"),                  // a short name
           iso("ftyp", "avif"),       // a still picture that servers do not take
           iso("free", "isom"),       // not the first box of a media file
           bytes("RIFF\x10\x10\x10\x10"
                 "CDDA"),              // no medium
           bytes("\xff\xfb\xf0\x44"),  // an MPEG frame with a bit rate that is not one
           bytes("\xff\xff\xff\xff"),
       }) {
    EXPECT_EQ(mime_of(head), "unknown") << head.substr(0, 20);
  }
}

TEST(FileType, NeverLooksPastTheEndOfAShortFile) {
  for (const std::string& whole :
       {std::string("RIFF\x10\0\0\0WAVEfmt ", 16), iso("ftyp", "isom"), zip("arr_0.npy"),
        std::string("\x1a\x45\xdf\xa3webm"), std::string("\x89PNG\r\n\x1a\n"),
        std::string("\xff\xfb\x90\x44")}) {
    for (std::size_t size = 0; size < whole.size(); ++size) {
      (void)detect_file_type(std::string(whole, 0, size));
    }
  }
  std::string lying = zip("a.npy");
  lying[26] = lying[27] = '\xff';  // a name longer than the file
  EXPECT_EQ(mime_of(lying), "unknown");
}

}  // namespace
}  // namespace contra4::media
