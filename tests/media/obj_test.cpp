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

Mesh parsed(const std::string& text) {
  return parse_obj(text, "x.obj", {}).value();
}

Error error_of(const std::string& text, const PointLimits& limits = {}) {
  const auto mesh = parse_obj(text, "x.obj", limits);
  EXPECT_FALSE(mesh.has_value());
  return mesh ? Error{} : mesh.error();
}

TEST(Obj, ReadsVerticesAndPassesOverTheRest) {
  const Mesh mesh = parsed(
      "# made by hand\nmtllib a.mtl\no thing\nv 1 2 3\r\n  v -1.5e1 +2 .5 1.0\nvn 0 0 1\nvt 0 "
      "1\nl 1 2\ns off\nv\t7 8 9 # a remark\n");
  EXPECT_THAT(mesh.vertices.xyz, ElementsAre(1, 2, 3, -15, 2, 0.5F, 7, 8, 9));
  EXPECT_THAT(mesh.vertices.rgb, IsEmpty());
  EXPECT_THAT(mesh.triangles, IsEmpty());
}

TEST(Obj, ReadsColoursBehindEveryVertex) {
  EXPECT_THAT(parsed("v 0 0 0 1 0.5 0\nv 1 1 1 0 0 1").vertices.rgb,
              ElementsAre(1, 0.5F, 0, 0, 0, 1));
  EXPECT_THAT(parsed("v 0 0 0 255 51 0\n").vertices.rgb, ElementsAre(1, 0.2F, 0));
  EXPECT_THAT(parsed("v 0 0 0 1 1 1\nv 1 1 1\n").vertices.rgb, IsEmpty());
}

TEST(Obj, ReadsFacesOfEveryForm) {
  const std::string square = "v 0 0 0\nv 1 0 0\nv 1 1 0\nv 0 1 0\n";
  EXPECT_THAT(parsed(square + "f 1 2 3\n").triangles, ElementsAre(Triangle{0, 1, 2}));
  EXPECT_THAT(parsed(square + "f 1/1 2/2/9 3//7 4\n").triangles,
              ElementsAre(Triangle{0, 1, 2}, Triangle{0, 2, 3}));
  EXPECT_THAT(parsed(square + "f -4 -3 -1\n").triangles, ElementsAre(Triangle{0, 1, 3}));
  EXPECT_THAT(parsed(square + "f 1 2 \\\r\n 3\n").triangles, ElementsAre(Triangle{0, 1, 2}));
  EXPECT_THAT(parsed(square + "f 1 2\n").triangles, IsEmpty());
  EXPECT_THAT(parsed("f 1 2 3\n" + square).triangles, ElementsAre(Triangle{0, 1, 2}));
}

TEST(Obj, NamesTheLineThatIsWrong) {
  const std::string triangle = "v 0 0 0\nv 1 0 0\nv 1 1 0\n";
  EXPECT_EQ(error_of("v 0 0 0\nv 1 2\n").message,
            "x.obj: line 2: a vertex of fewer than three numbers");
  EXPECT_THAT(error_of("v 0 0 zero\n").message, HasSubstr("line 1: a vertex that is no numbers"));
  EXPECT_THAT(error_of(triangle + "f 1 2 4\n").message,
              HasSubstr("line 4: a face of vertex 4, of 3 there are"));
  EXPECT_THAT(error_of(triangle + "f 1 2 -4\n").message, HasSubstr("line 4: a face of something"));
  EXPECT_THAT(error_of(triangle + "f 0 1 2\n").message, HasSubstr("line 4"));
  EXPECT_THAT(error_of(triangle + "f 1 2 99999999999999999999\n").message, HasSubstr("line 4"));
  EXPECT_EQ(error_of(triangle + "f 1 / 2\n").code, ErrorCode::kDataLoss);
}

TEST(Obj, RefusesWhatIsNoPlace) {
  EXPECT_THAT(error_of("v 0 0 0\nv 0 nan 0\n").message, HasSubstr("point 1"));
  EXPECT_THAT(error_of("v 0 0 1e400\n").message, HasSubstr("inf"));
  EXPECT_THAT(error_of("v 0 0 1e39\n").message, HasSubstr("inf"));  // beyond a float
  EXPECT_EQ(parsed("v 0 0 1e-400\n").vertices.xyz[2], 0);
  EXPECT_THAT(error_of("v 0 0 1" + std::string(400, '0') + "\n").message, HasSubstr("inf"));
  EXPECT_EQ(error_of("# nothing\n").code, ErrorCode::kInvalidArgument);
  EXPECT_EQ(error_of("").code, ErrorCode::kInvalidArgument);
}

TEST(Obj, ReadsNoMorePointsThanAllowed) {
  const PointLimits limits{.max_points = 2};
  EXPECT_EQ(error_of("v 0 0 0\nv 0 0 0\nv 0 0 0\n", limits).code, ErrorCode::kResourceExhausted);
}

}  // namespace
}  // namespace contra4::media
