#include "contra4/data/modality.h"

#include <gtest/gtest.h>

namespace contra4 {
namespace {

TEST(Modality, EveryNameReadsBack) {
  for (const Modality modality : kModalities) {
    EXPECT_EQ(parse_modality(to_string(modality)), modality);
  }
}

TEST(Modality, KnowsTheWordsPeopleType) {
  EXPECT_EQ(parse_modality("3D"), Modality::kPointCloud);
  EXPECT_EQ(parse_modality("point cloud"), Modality::kPointCloud);
  EXPECT_EQ(parse_modality("Sound"), Modality::kAudio);
  EXPECT_FALSE(parse_modality("smell").has_value());
  EXPECT_FALSE(parse_modality("").has_value());
}

}  // namespace
}  // namespace contra4
