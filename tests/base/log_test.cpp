#include "contra4/base/log.h"

#include <string>

#include <gtest/gtest.h>

namespace contra4 {
namespace {

class Log : public ::testing::Test {
 protected:
  ~Log() override { log::set_level(log::Level::kInfo); }
  static std::string errors_of(void (*action)()) {
    ::testing::internal::CaptureStderr();
    action();
    return ::testing::internal::GetCapturedStderr();
  }
};

TEST_F(Log, OneEventIsOneLineWithItsLevel) {
  EXPECT_EQ(errors_of([] { log::error("[io] {} of {}", 1, 2); }), "error: [io] 1 of 2\n");
  EXPECT_EQ(errors_of([] { log::warning("slow"); }), "warning: slow\n");
  EXPECT_EQ(errors_of([] { log::info("seconds={:.1f}", 0.25); }), "info: seconds=0.2\n");
}

TEST_F(Log, TellsDetailsOnlyWhenAsked) {
  EXPECT_EQ(errors_of([] { log::debug("detail"); }), "");
  log::set_level(log::Level::kDebug);
  EXPECT_EQ(errors_of([] { log::debug("detail"); }), "debug: detail\n");
}

TEST_F(Log, QuietKeepsErrors) {
  log::set_level(log::Level::kError);
  EXPECT_EQ(errors_of([] { log::warning("slow"); }), "");
  EXPECT_EQ(errors_of([] { log::error("broken"); }), "error: broken\n");
}

TEST_F(Log, WordsOfOthersAreNoFormat) {
  EXPECT_EQ(errors_of([] { log::write(log::Level::kError, R"({"code": 400} %s {})"); }),
            "error: {\"code\": 400} %s {}\n");
}

}  // namespace
}  // namespace contra4
