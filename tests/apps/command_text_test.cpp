#include "contra4/apps/command_text.h"

#include <gtest/gtest.h>

namespace contra4::apps {
namespace {

TEST(CommandText, QuotesWhatAShellWouldRead) {
  EXPECT_EQ(command_text({"evaluate", "--model", "exec/python3 x.py", "--question", "it's", ""}),
            "contra4 evaluate --model 'exec/python3 x.py' --question 'it'\\''s' ''");
}

TEST(CommandText, LeavesSecretsOfUrlsOut) {
  const auto text = command_text({"evaluate", "--base-url=https://me:hidden@host/v1?key=hidden",
                                  "--base-url", "http://me:hidden@host/v1"});
  EXPECT_EQ(text.find("hidden"), std::string::npos) << text;
  EXPECT_NE(text.find("host/v1"), std::string::npos) << text;
}

}  // namespace
}  // namespace contra4::apps
