// Every expected number was printed by CPython 3.11's `random`.
#include "contra4/base/python_random.h"

#include <numeric>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace contra4 {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST(PythonRandom, OneSequenceGoesThroughAllWaysOfDrawing) {
  PythonRandom random(123);
  for (const std::uint64_t expected : {224899942U, 1149664691U, 374463918U, 3302642556U}) {
    EXPECT_EQ(random.getrandbits(32), expected);
  }
  EXPECT_EQ(random.random(), 0.4072417636703983);
  EXPECT_EQ(random.getrandbits(64), 15467659740105031178ULL);
  EXPECT_EQ(random.getrandbits(5), 28U);
  for (int i = 0; i < 4; ++i) random.getrandbits(32);  // getrandbits(100)
  EXPECT_THAT(random.sample(100, 5), ElementsAre(71, 42, 43, 6, 20));
  EXPECT_THAT(random.sample(100, 30),
              ElementsAre(17, 43, 71, 42, 89, 31, 20, 0, 55, 11, 76, 48, 8, 92, 40, 57, 13, 5, 90,
                          18, 16, 2, 37, 91, 73, 61, 33, 60, 4, 39));
  EXPECT_THAT(random.sample(1000, 10),
              ElementsAre(351, 534, 820, 494, 211, 840, 623, 654, 539, 578));
  EXPECT_EQ(random.choice(std::vector<int>{0, 1, 2, 3, 4, 5, 6}), 6);
  EXPECT_EQ(random.randint(3, 9), 5);
  std::vector<int> ten(10);
  std::iota(ten.begin(), ten.end(), 0);
  random.shuffle(ten);
  EXPECT_THAT(ten, ElementsAre(9, 1, 2, 3, 7, 4, 5, 8, 6, 0));
}

TEST(PythonRandom, SeedsOfAnySizeAndSign) {
  const std::vector<std::pair<const char*, std::vector<std::uint64_t>>> cases = {
      {"0", {3626764237, 1654615998, 3255389356}},
      {"-5", {2675342405, 1097127993, 3185950873}},
      {"4294967296", {485306839, 1508871100, 1794561286}},
      {"18446744073709551615", {93740670, 1068495656, 1452108352}},
      {"1267650600228229401496703205383", {1786885132, 353954449, 1403444918}},
      {"10000000000000000000000000000000000000000", {1492664192, 624131156, 3266468590}},
      {"+000123", {224899942, 1149664691, 374463918}},
  };
  for (const auto& [digits, expected] : cases) {
    auto random = PythonRandom::seeded(digits);
    ASSERT_TRUE(random.has_value()) << digits;
    for (const std::uint64_t word : expected) EXPECT_EQ(random->getrandbits(32), word) << digits;
  }
  EXPECT_EQ(PythonRandom(18446744073709551615ULL).getrandbits(32), 93740670U);
  for (const char* wrong : {"", "-", "1.5", "0x10", "12 ", "--1"}) {
    const auto random = PythonRandom::seeded(wrong);
    ASSERT_FALSE(random.has_value()) << wrong;
    EXPECT_THAT(random.error().message, HasSubstr("is no seed"));
  }
}

TEST(PythonRandom, TheStateIsRenewedAsItRunsOut) {
  PythonRandom random(1);
  std::uint64_t last = 0;
  for (int i = 0; i < 1000; ++i) last = random.getrandbits(32);
  EXPECT_EQ(last, 1877627338U);
}

TEST(PythonRandom, SamplesFromAListOrThroughASetAsPythonDoes) {
  PythonRandom random(5);
  EXPECT_THAT(random.sample(1000000, 7),
              ElementsAre(653159, 267853, 777820, 375951, 833820, 723985, 988230));
  EXPECT_THAT(random.sample(85, 6), ElementsAre(83, 67, 3, 59, 31, 6));    // a list
  EXPECT_THAT(random.sample(86, 6), ElementsAre(20, 14, 47, 60, 31, 48));  // a set
  EXPECT_THAT(random.sample(21, 5), ElementsAre(17, 3, 18, 7, 0));
  EXPECT_THAT(random.sample(22, 5), ElementsAre(6, 13, 8, 5, 12));
  EXPECT_THAT(random.sample(0, 0), ElementsAre());
}

TEST(PythonRandom, DrawsTheTrainingEntriesThatThePublishedSamplerDraws) {
  PythonRandom random(123);
  const auto drawn = random.sample(60001, 60000);
  ASSERT_EQ(drawn.size(), 60000U);
  EXPECT_THAT(std::vector(drawn.begin(), drawn.begin() + 3), ElementsAre(3431, 17542, 5713));
  EXPECT_THAT(std::vector(drawn.end() - 3, drawn.end()), ElementsAre(18533, 27886, 56330));
  EXPECT_EQ(random.getrandbits(32), 2907614138U);
}

TEST(PythonRandom, RefusesEmptyRanges) {
  PythonRandom random(1);
  EXPECT_THROW(random.randbelow(0), Exception);
  EXPECT_THROW(random.randint(2, 1), Exception);
  EXPECT_THROW(random.sample(3, 4), Exception);
  EXPECT_THROW(random.getrandbits(65), Exception);
  EXPECT_EQ(random.randint(7, 7), 7);
}

}  // namespace
}  // namespace contra4
