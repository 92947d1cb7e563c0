#include "contra4/clients/server_quirks.h"

#include <array>

#include <gtest/gtest.h>

namespace contra4::clients {
namespace {

constexpr std::array kTable = {
    QuirkRow{Quirk::kNoSeed, QuirkRow::Sign::kRefused, "seed"},
    QuirkRow{Quirk::kNoTopP, QuirkRow::Sign::kRefused, "top_p"},
    QuirkRow{Quirk::kFewLogprobs, QuirkRow::Sign::kTooMuch, "logprobs"},
    QuirkRow{Quirk::kSystemInUser, QuirkRow::Sign::kPhrase, "system role"},
};

QuirkSet find(const std::string& words, QuirkSet possible) {
  ServerMessage message;
  message.message = words;
  return find_quirks(message, kTable, possible);
}

TEST(ServerQuirks, NeedsBothTheNameAndARefusal) {
  const QuirkSet possible = {Quirk::kNoSeed};
  EXPECT_TRUE(find("Unsupported parameter: 'seed'", possible).has(Quirk::kNoSeed));
  EXPECT_TRUE(find("seed is negative", possible).is_empty());
  EXPECT_TRUE(find("unsupported thing", possible).is_empty());
  EXPECT_TRUE(find("unsupported seeding", possible).is_empty());
}

TEST(ServerQuirks, FindsSeveralAtOnce) {
  EXPECT_EQ(
      find("Unexpected keys in the request: {'seed', 'top_p'}", {Quirk::kNoSeed, Quirk::kNoTopP}),
      (QuirkSet{Quirk::kNoSeed, Quirk::kNoTopP}));
}

TEST(ServerQuirks, FindsOnlyWhatWasSent) {
  EXPECT_TRUE(find("Unsupported parameter: 'seed'", {Quirk::kNoTopP}).is_empty());
  EXPECT_TRUE(find("Unsupported parameter: 'seed'", {}).is_empty());
}

TEST(ServerQuirks, TellsTooMuchFromRefused) {
  EXPECT_TRUE(find("Requested sample logprobs of 20, which is greater than max allowed: 5",
                   {Quirk::kFewLogprobs})
                  .has(Quirk::kFewLogprobs));
}

TEST(ServerQuirks, FindsPhrasesInAnyCase) {
  EXPECT_TRUE(find("System role not supported", {Quirk::kSystemInUser}).has(Quirk::kSystemInUser));
}

TEST(ServerQuirks, DescribesEachInWords) {
  EXPECT_EQ(describe({Quirk::kNoSeed, Quirk::kNoTopP}), "no 'top_p', no 'seed'");
  EXPECT_EQ(describe({}), "");
}

TEST(ServerQuirks, SetsAddAndTakeAway) {
  QuirkSet set = {Quirk::kNoSeed};
  set.add(QuirkSet{Quirk::kNoStop});
  EXPECT_EQ(set.without({Quirk::kNoSeed}), QuirkSet{Quirk::kNoStop});
  EXPECT_TRUE(set.without(set).is_empty());
}

}  // namespace
}  // namespace contra4::clients
