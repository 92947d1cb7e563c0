#include "contra4/apps/help.h"

#include <sstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>

namespace contra4::apps {
namespace {

using ::testing::HasSubstr;

TEST(CommandHelp, ShowsUsageGroupsDefaultsAndExamples) {
  CLI::App app;
  app.set_help_flag();
  app.option_defaults()->group("Flags");
  app.description("Does things.");
  std::string file;
  int count = 7;
  app.add_option("file", file, "what is read")->type_name("FILE")->required();
  app.option_defaults()->group("Numbers");
  app.add_option("--num-things,--bs", count, "how many things, in dozens")
      ->type_name("N")
      ->capture_default_str();
  app.footer("Examples:\n  contra4 do x");
  const auto page = command_help(app, "do");
  EXPECT_THAT(page, HasSubstr("Usage: contra4 do FILE [flags]\n"));
  EXPECT_THAT(page, HasSubstr("\nFlags:\n  FILE"));
  EXPECT_THAT(page, HasSubstr("\nNumbers:\n  --num-things, --bs N"));
  EXPECT_THAT(page, HasSubstr("how many things, in dozens [default: 7]"));
  EXPECT_THAT(page, HasSubstr("Examples:\n  contra4 do x"));
}

TEST(CommandHelp, BreaksLongLines) {
  CLI::App app;
  app.set_help_flag();
  std::string text;
  for (int i = 0; i < 60; ++i) text += "many words ";
  bool flag = false;
  app.add_flag("--flag", flag, text);
  std::istringstream lines(command_help(app, "do"));
  for (std::string line; std::getline(lines, line);) EXPECT_LE(line.size(), 100U) << line;
}

}  // namespace
}  // namespace contra4::apps
