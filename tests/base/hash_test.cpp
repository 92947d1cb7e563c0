#include "contra4/base/hash.h"

#include <fstream>

#include <gtest/gtest.h>

#include "contra4/base/error.h"
#include "tests/support/test_env.h"

namespace contra4 {
namespace {

// FIPS 180-4 examples.
constexpr char kOfAbc[] = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
constexpr char kOfNothing[] = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

TEST(Hash, MatchesThePublishedExamples) {
  EXPECT_EQ(sha256_hex("abc"), kOfAbc);
  EXPECT_EQ(sha256_hex(""), kOfNothing);
}

TEST(Hash, PiecesGiveTheHashOfTheWhole) {
  Sha256 hash;
  hash.update("a");
  hash.update("");
  hash.update("bc");
  EXPECT_EQ(hash.hex_digest(), kOfAbc);
}

TEST(Hash, OfAFileIsOfItsBytes) {
  const testing::TempDir folder;
  std::ofstream(folder / "abc") << "abc";
  EXPECT_EQ(sha256_hex_of_file(folder / "abc"), kOfAbc);
  EXPECT_THROW(sha256_hex_of_file(folder / "absent"), Exception);
}

TEST(Hash, StableHashIsTheFirstEightBytesLittleEndian) {
  EXPECT_EQ(stable_hash64("abc"), 0xeacf018fbf1678baULL);
}

}  // namespace
}  // namespace contra4
