#include "contra4/apps/program.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "contra4/base/version.h"
#include "tests/apps/run_in_process.h"

namespace contra4::apps {
namespace {

using ::testing::HasSubstr;

TEST(Program, ListsItsCommands) {
  const auto outcome = run({"--help"});
  EXPECT_EQ(outcome.code, kExitDone);
  for (const char* name : {"evaluate", "score", "compare", "ask", "models", "dataset check",
                           "dataset describe", "dataset convert"}) {
    EXPECT_THAT(outcome.out, HasSubstr(name));
  }
  EXPECT_EQ(outcome.err, "");
}

TEST(Program, WithoutACommandIsWrongUsage) {
  const auto outcome = run({});
  EXPECT_EQ(outcome.code, kExitUsage);
  EXPECT_EQ(outcome.out, "");
  EXPECT_THAT(outcome.err, HasSubstr("Usage"));
}

TEST(Program, TellsItsVersion) {
  EXPECT_EQ(run({"--version"}).out, "contra4 " + std::string(version()) + "\n");
}

TEST(Program, SuggestsTheNearestCommand) {
  const auto outcome = run({"evalaute", "--dataset", "x"});
  EXPECT_EQ(outcome.code, kExitUsage);
  EXPECT_THAT(outcome.err, HasSubstr("did you mean 'evaluate'?"));
  EXPECT_THAT(run({"dataset", "chekc"}).err, HasSubstr("did you mean 'check'?"));
  EXPECT_THAT(run({"dataset"}).err, HasSubstr("'check', 'describe', 'convert'"));
}

TEST(Program, FlagsComeAfterTheCommand) {
  EXPECT_EQ(run({"--dataset", "x", "score"}).code, kExitUsage);
}

class EveryCommand : public ::testing::TestWithParam<const char*> {
 protected:
  static std::vector<std::string> words() {
    const std::string name = GetParam();
    const auto blank = name.find(' ');
    if (blank == std::string::npos) return {name};
    return {name.substr(0, blank), name.substr(blank + 1)};
  }
};

TEST_P(EveryCommand, HasHelpAndSuggestsFlags) {
  auto arguments = words();
  arguments.emplace_back("--help");
  const auto help = run(arguments);
  EXPECT_EQ(help.code, kExitDone);
  EXPECT_THAT(help.out, HasSubstr(std::string("Usage: contra4 ") + GetParam()));
  EXPECT_THAT(help.out, HasSubstr("--config FILE"));
  arguments.back() = "--verbos";
  const auto typo = run(arguments);
  EXPECT_EQ(typo.code, kExitUsage);
  EXPECT_THAT(typo.err, HasSubstr("did you mean --verbose?"));
  EXPECT_THAT(typo.err, HasSubstr(std::string("contra4 ") + GetParam() + " --help"));
}

INSTANTIATE_TEST_SUITE_P(All, EveryCommand,
                         ::testing::Values("evaluate", "score", "compare", "ask", "models",
                                           "models convert", "dataset check", "dataset describe",
                                           "dataset convert"));

TEST(Program, HelpMayStandInFront) {
  EXPECT_EQ(run({"help", "score"}).out, run({"score", "--help"}).out);
}

}  // namespace
}  // namespace contra4::apps
