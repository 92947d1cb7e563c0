#include "contra4/inference/service_settings.h"

#include <gtest/gtest.h>

namespace contra4 {
namespace {

TEST(ServiceSettings, AreThoseThatNoAnswerDependsOn) {
  for (const char* member : {"endpoints", "base_urls", "workers", "concurrency"}) {
    EXPECT_TRUE(is_service_setting(member)) << member;
  }
  for (const char* member : {"model", "temperature", "", "endpoint", "seed"}) {
    EXPECT_FALSE(is_service_setting(member)) << member;
  }
}

}  // namespace
}  // namespace contra4
