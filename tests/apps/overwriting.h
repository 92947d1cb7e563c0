// What every command with --overwrite promises.
#pragma once

#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/apps/run_in_process.h"

namespace contra4::apps {

// Runs `command`, whose output is not there yet, three times: refused while its output is there,
// with a word on how to go on, and done when asked to.
inline void expect_overwrites_only_when_asked(std::vector<std::string> command) {
  EXPECT_EQ(run(command).code, kExitDone);
  const auto again = run(command);
  EXPECT_EQ(again.code, kExitFailed);
  EXPECT_THAT(again.err, ::testing::HasSubstr("--overwrite"));
  command.emplace_back("--overwrite");
  EXPECT_EQ(run(command).code, kExitDone);
}

}  // namespace contra4::apps
