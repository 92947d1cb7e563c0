// Every expected number was printed by numpy 2.4.6 (default_rng).
#include "contra4/base/numpy_random.h"

#include <numeric>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "contra4/base/error.h"

namespace contra4 {
namespace {

using ::testing::ElementsAre;

std::vector<int> counted(std::size_t size) {
  std::vector<int> list(size);
  std::iota(list.begin(), list.end(), 0);
  return list;
}

TEST(NumpyRandom, DrawsAsPcg64DoesAfterASeedOfAnySize) {
  struct Case {
    std::vector<std::uint64_t> seed;
    std::uint64_t first, second;
    double third;
  };
  const std::vector<Case> cases = {
      {{0}, 0xa30febcfd9c2825f, 0x4510bdf882d9d721, 0.04097352393619469},
      {{1}, 0x8306bdf37922e4ff, 0xf35196bbc152a866, 0.14415961271963373},
      {{42}, 0xc621fbcd16d92688, 0x705a5661a791ffc1, 0.8585979199113825},
      {{0xffffffff}, 0x407f5fa930d8fd9f, 0x3814b22eb9684802, 0.28728472043517017},
      {{0x100000000}, 0xe3c5ebe285ac1625, 0x8ea09968fe31dbcc, 0.8009080868919721},
      {{UINT64_MAX}, 0xae163a7a8c47568f, 0xd86659f5f3382359, 0.007403081599260064},
      {{5, 7}, 0x833288a84d48edbe, 0x4ad1ca6ed8b90a17, 0.9607758063210733},
      {{0, 0}, 0xa30febcfd9c2825f, 0x4510bdf882d9d721, 0.04097352393619469},
      {{1ULL << 40, 3}, 0x880bc9b3d4e9cdd0, 0xbd983884757651e0, 0.8147166112799156},
      // More words than the pool has places.
      {{1, 2, 3, 4, 5}, 0x8452e9e84975a10b, 0xa0a264a8aa71bd91, 0.16585436148247834},
      {{1ULL << 63, 1ULL << 63, 1ULL << 63},
       0x9df1623cf31a9c64,
       0x7be437cb3047b5ce,
       0.048239729587331914},
  };
  for (const Case& one : cases) {
    NumpyRandom random{std::span(one.seed)};
    EXPECT_EQ(random.next64(), one.first) << ::testing::PrintToString(one.seed);
    EXPECT_EQ(random.next64(), one.second) << ::testing::PrintToString(one.seed);
    EXPECT_EQ(random.random(), one.third) << ::testing::PrintToString(one.seed);
  }
  EXPECT_EQ(NumpyRandom(42).random(), 0.7739560485559633);
  NumpyRandom random(0);
  random.next64();
  random.next64();
  EXPECT_EQ(random.next64(), 0x0a7d3da94ecde8b8U);
}

TEST(NumpyRandom, TakesTheLowerHalfOfADrawFirst) {
  NumpyRandom random(0);
  EXPECT_EQ(random.next32(), 0xd9c2825fU);
  EXPECT_EQ(random.next64(), 0x4510bdf882d9d721U);  // between the halves
  EXPECT_EQ(random.next32(), 0xa30febcfU);
}

TEST(NumpyRandom, ShufflesAListAsNumpyDoes) {
  const auto shuffled = [](std::uint64_t seed) {
    std::vector<int> ten = counted(10);
    NumpyRandom(seed).shuffle(ten);
    return ten;
  };
  EXPECT_THAT(shuffled(42), ElementsAre(5, 6, 0, 7, 3, 2, 4, 9, 1, 8));
  EXPECT_THAT(shuffled(0), ElementsAre(4, 6, 2, 7, 3, 5, 9, 0, 8, 1));
  EXPECT_THAT(shuffled(1), ElementsAre(8, 4, 7, 0, 1, 2, 5, 9, 6, 3));
}

TEST(NumpyRandom, OneSequenceGoesThroughShufflesAndDraws) {
  NumpyRandom random(3);
  std::vector<int> five = counted(5);
  random.shuffle(five);
  EXPECT_THAT(five, ElementsAre(4, 2, 1, 3, 0));
  EXPECT_EQ(random.next64(), 0xcd2052c72e6dec36U);
  EXPECT_EQ(random.random(), 0.5821620360643678);
  random.shuffle(five);
  EXPECT_THAT(five, ElementsAre(2, 0, 1, 3, 4));
}

// All 25,525,500 places, as FNV-1a would hash them were they bytes.
TEST(NumpyRandom, ShufflesListsOfEveryLengthUpToAThousandWithFiftyOneSeeds) {
  std::uint64_t hash = 0xcbf29ce484222325;
  for (std::uint64_t seed = 0; seed <= 50; ++seed) {
    NumpyRandom random(seed);
    for (std::size_t size = 1; size <= 1000; ++size) {
      std::vector<int> list = counted(size);
      random.shuffle(list);
      for (const int place : list) {
        hash = (hash ^ static_cast<std::uint64_t>(place)) * 0x100000001b3;
      }
    }
  }
  EXPECT_EQ(hash, 0x6e24d7f1ccf1ade1U);
}

TEST(NumpyRandom, ShufflesListsThatNeedMoreThanSixteenBits) {
  std::vector<int> list = counted(70000);
  NumpyRandom(11).shuffle(list);
  EXPECT_THAT(std::vector(list.begin(), list.begin() + 5),
              ElementsAre(61927, 42511, 53310, 4221, 65590));
  EXPECT_THAT(std::vector(list.end() - 5, list.end()),
              ElementsAre(10672, 60371, 25724, 44170, 52302));
}

TEST(NumpyRandom, DrawsNothingWhereThereIsNoChoice) {
  NumpyRandom random(0);
  std::vector<int> none;
  std::vector<int> one = {7};
  random.shuffle(none);
  random.shuffle(one);
  EXPECT_THAT(one, ElementsAre(7));
  EXPECT_EQ(random.interval(0), 0U);
  EXPECT_EQ(random.next64(), 0xa30febcfd9c2825fU);
}

TEST(NumpyRandom, DrawsWholeWordsForRangesBeyond32Bits) {
  NumpyRandom random(0);
  EXPECT_EQ(random.interval(UINT64_MAX), 0xa30febcfd9c2825fU);
  EXPECT_EQ(random.interval((1ULL << 40) - 1), 0xf882d9d721U);
  EXPECT_LE(random.interval(1ULL << 40), 1ULL << 40);
}

TEST(NumpyRandom, RefusesASeedOfNoNumbers) {
  EXPECT_THROW(NumpyRandom(std::span<const std::uint64_t>()), Exception);
}

}  // namespace
}  // namespace contra4
