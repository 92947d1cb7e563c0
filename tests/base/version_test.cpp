#include "contra4/base/version.h"

#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace contra4 {
namespace {

TEST(Version, IsThatOfTheProject) {
  EXPECT_EQ(version(), CONTRA4_PROJECT_VERSION);
  EXPECT_THAT(std::string(version()), ::testing::MatchesRegex(R"([0-9]+\.[0-9]+\.[0-9]+)"));
}

}  // namespace
}  // namespace contra4
