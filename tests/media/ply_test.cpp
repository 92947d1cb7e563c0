#include <algorithm>
#include <bit>
#include <cstdint>
#include <cstring>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "contra4/media/mesh.h"

namespace contra4::media {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using Triangle = std::array<std::uint32_t, 3>;

Mesh parsed(const std::string& file) {
  return parse_ply(file, "x.ply", {}).value();
}

Error error_of(const std::string& file, const PointLimits& limits = {}) {
  const auto mesh = parse_ply(file, "x.ply", limits);
  EXPECT_FALSE(mesh.has_value());
  return mesh ? Error{} : mesh.error();
}

// Binary values of either byte order.
class Bytes {
 public:
  explicit Bytes(bool is_big) : is_big_(is_big) {}
  template <class T>
  Bytes& put(T value) {
    char bytes[sizeof(T)];
    std::memcpy(bytes, &value, sizeof(T));
    if (is_big_) std::reverse(bytes, bytes + sizeof(T));
    text_.append(bytes, sizeof(T));
    return *this;
  }
  const std::string& text() const { return text_; }

 private:
  bool is_big_;
  std::string text_;
};

const std::string kXyz = "property float x\nproperty float y\nproperty float z\n";

std::string ascii(const std::string& elements, const std::string& body) {
  return "ply\nformat ascii 1.0\ncomment by hand\n" + elements + "end_header\n" + body;
}

TEST(Ply, ReadsAscii) {
  const Mesh mesh = parsed(ascii("element vertex 2\n" + kXyz, "1 2 3\n-1.5 2e1 .5\n"));
  EXPECT_THAT(mesh.vertices.xyz, ElementsAre(1, 2, 3, -1.5F, 20, 0.5F));
  EXPECT_THAT(mesh.vertices.rgb, IsEmpty());
}

TEST(Ply, ReadsPropertiesInAnyOrderAndOfAnyType) {
  for (const bool is_big : {false, true}) {
    const std::string header =
        std::string("ply\nformat binary_") + (is_big ? "big" : "little") +
        "_endian 1.0\nelement camera 1\nproperty list uchar int views\nproperty short k\n"
        "element vertex 2\nproperty uchar blue\nproperty double z\nproperty list ushort float w\n"
        "property int16 x\nproperty float32 y\nproperty uint8 green\nproperty uchar red\n"
        "end_header\n";
    Bytes body(is_big);
    body.put<std::uint8_t>(2).put<std::int32_t>(5).put<std::int32_t>(6).put<std::int16_t>(1);
    body.put<std::uint8_t>(255).put(3.5).put<std::uint16_t>(1).put(9.F);
    body.put<std::int16_t>(-7).put(2.F).put<std::uint8_t>(51).put<std::uint8_t>(0);
    body.put<std::uint8_t>(0).put(-1.0).put<std::uint16_t>(0);
    body.put<std::int16_t>(4).put(8.F).put<std::uint8_t>(0).put<std::uint8_t>(255);
    const Mesh mesh = parsed(header + body.text());
    EXPECT_THAT(mesh.vertices.xyz, ElementsAre(-7, 2, 3.5F, 4, 8, -1)) << is_big;
    EXPECT_THAT(mesh.vertices.rgb, ElementsAre(0, 0.2F, 1, 1, 0, 0)) << is_big;
  }
}

TEST(Ply, ReadsColoursOfWholeNumbersAndOfFractions) {
  const auto rgb = [](const std::string& type, const std::string& colour) {
    return parsed(ascii("element vertex 1\n" + kXyz + "property " + type + " red\nproperty " +
                            type + " green\nproperty " + type + " blue\n",
                        "0 0 0 " + colour + "\n"))
        .vertices.rgb;
  };
  EXPECT_THAT(rgb("uchar", "1 0 0"), ElementsAre(1 / 255.F, 0, 0));
  EXPECT_THAT(rgb("ushort", "65535 0 0"), ElementsAre(1, 0, 0));
  EXPECT_THAT(rgb("float", "1 0.5 0"), ElementsAre(1, 0.5F, 0));
  EXPECT_THAT(rgb("float", "255 51 0"), ElementsAre(1, 0.2F, 0));
  EXPECT_THAT(rgb("uchar", "300 0 0"), IsEmpty());
}

TEST(Ply, ReadsFacesWhereThereAreFewVertices) {
  const std::string square = "0 0 0\n1 0 0\n1 1 0\n0 1 0\n";
  const std::string elements = "element vertex 4\n" + kXyz +
                               "element face 2\nproperty uchar flags\nproperty list uchar int "
                               "vertex_indices\n";
  EXPECT_THAT(parsed(ascii(elements, square + "1 4 0 1 2 3\n1 3 3 2 1\n")).triangles,
              ElementsAre(Triangle{0, 1, 2}, Triangle{0, 2, 3}, Triangle{3, 2, 1}));
  EXPECT_THAT(error_of(ascii(elements, square + "1 4 0 1 2 4\n1 3 3 2 1\n")).message,
              HasSubstr("a vertex that is not there in face 0"));
  EXPECT_THAT(error_of(ascii(elements, square + "1 4 0 1 2 3\n1 3 3\n")).message,
              HasSubstr("cut in face 1"));
  EXPECT_EQ(error_of(ascii(elements, square + "1 4 0 1 2 -1\n")).code, ErrorCode::kDataLoss);
}

TEST(Ply, KnowsEveryLineEnd) {
  for (const std::string end : {"\n", "\r\n", "\r"}) {
    std::string file = "ply" + end + "format binary_little_endian 1.0" + end + "element vertex 1" +
                       end + "property char x" + end + "property char y" + end + "property char z" +
                       end + "end_header" + end;
    file += "\n\r ";  // 10, 13, 32
    EXPECT_THAT(parsed(file).vertices.xyz, ElementsAre(10, 13, 32)) << end.size();
  }
}

TEST(Ply, TellsACutFileFromOneWithoutPoints) {
  EXPECT_THAT(error_of(ascii("element vertex 3\n" + kXyz, "1.00 2.00 3.00\n4 5 6\n7 8")).message,
              HasSubstr("cut, or no number, in point 2"));
  EXPECT_THAT(error_of(ascii("element vertex 1\n" + kXyz, "1 2 three\n")).message,
              HasSubstr("in point 0"));
  EXPECT_EQ(error_of(ascii("element vertex 0\n" + kXyz, "")).code, ErrorCode::kInvalidArgument);
  EXPECT_EQ(error_of(ascii("", "")).code, ErrorCode::kInvalidArgument);
  EXPECT_THAT(error_of("ply\nformat ascii 1.0\n").message, HasSubstr("no end"));
  EXPECT_EQ(error_of("plyers").code, ErrorCode::kDataLoss);
  EXPECT_THAT(
      error_of(ascii("element vertex 1\nproperty float x\nproperty float y\n", "1 2\n")).message,
      HasSubstr("no x, y and z"));
  EXPECT_THAT(error_of(ascii("element vertex 1\nproperty list uchar float x\nproperty float y\n"
                             "property float z\n",
                             "1 0 2 3\n"))
                  .message,
              HasSubstr("no x, y and z"));
}

TEST(Ply, NamesWhatTheHeaderHasWrong) {
  EXPECT_THAT(error_of("ply\nformat xml\nend_header\n").message, HasSubstr("'xml'"));
  EXPECT_THAT(error_of(ascii("element vertex many\n", "")).message, HasSubstr("without a number"));
  EXPECT_THAT(error_of(ascii("property float x\n", "")).message, HasSubstr("of no element"));
  EXPECT_THAT(error_of(ascii("element vertex 1\nproperty quad x\n", "")).message,
              HasSubstr("'quad'"));
  EXPECT_THAT(error_of(ascii("element vertex 1\nproperty list float int x\n", "")).message,
              HasSubstr("no whole type"));
}

TEST(Ply, BelievesNoNumberThatTheFileCannotHold) {
  const std::string binary = "ply\nformat binary_little_endian 1.0\n";
  const std::string end = "end_header\n";
  EXPECT_THAT(error_of(binary + "element vertex 4000000\n" + kXyz + end + "abc").message,
              HasSubstr("too short for 4000000 points"));
  EXPECT_EQ(error_of(binary + "element vertex 18446744073709551615\n" + kXyz + end).code,
            ErrorCode::kResourceExhausted);
  // Rows without properties cost nothing and hold nothing.
  const std::string rows = "element note 18446744073709551615\n";
  EXPECT_THAT(parsed(ascii(rows + "element vertex 1\n" + kXyz, "1 2 3\n")).vertices.xyz,
              ElementsAre(1, 2, 3));
  EXPECT_EQ(error_of(binary + rows + "property list uint double w\nelement vertex 1\n" + kXyz +
                     end + std::string(4, '\xff'))
                .code,
            ErrorCode::kDataLoss);
  const PointLimits limits{.max_points = 1};
  EXPECT_EQ(error_of(ascii("element vertex 2\n" + kXyz, "1 2 3\n4 5 6\n"), limits).code,
            ErrorCode::kResourceExhausted);
}

TEST(Ply, RefusesWhatIsNoPlace) {
  const Error error = error_of(ascii("element vertex 2\n" + kXyz, "1 2 3\n4 nan 6\n"));
  EXPECT_EQ(error.code, ErrorCode::kInvalidArgument);
  EXPECT_THAT(error.message, HasSubstr("point 1 (counted from 0) holds nan"));
}

}  // namespace
}  // namespace contra4::media
