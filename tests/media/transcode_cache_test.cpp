#include "contra4/media/transcode_cache.h"

#include <filesystem>
#include <fstream>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "contra4/io/file.h"
#include "tests/support/test_env.h"

namespace contra4::media {
namespace {

using ::testing::HasSubstr;

const std::string kKey = "ab12";

std::vector<TranscodedPart> two_parts() {
  return {{"first", "image/jpeg", "jpeg", "Two of them:"}, {"second", "audio/wav", "wav", ""}};
}

TEST(TranscodeCache, GivesBackWhatWasStored) {
  const testing::TempDir folder;
  const TranscodeCache cache(folder / "deep/cache");
  EXPECT_FALSE(cache.find(kKey));
  const auto stored = cache.store(kKey, two_parts());
  const auto found = cache.find(kKey);
  ASSERT_TRUE(found);
  ASSERT_EQ(found->size(), 2U);
  EXPECT_EQ((*found)[0].file, stored[0].file);
  EXPECT_EQ((*found)[0].file.filename(), "ab12-0.jpg");
  EXPECT_EQ((*found)[0].words, "Two of them:");
  EXPECT_EQ(io::read_file((*found)[1].file), "second");
  EXPECT_EQ((*found)[1].file.extension(), ".wav");
  EXPECT_FALSE(cache.find("ab13"));
}

TEST(TranscodeCache, DoesNotBelieveADamagedList) {
  const testing::TempDir folder;
  const TranscodeCache cache(folder.path());
  const auto stored = cache.store(kKey, two_parts());
  const auto list = folder / "ab/ab12.json";
  for (const std::string text :
       {"", "{}", "[]", "[{\"file\": 1, \"words\": \"\"}]", "[{\"words\": \"\"}]",
        "[{\"file\": \"../../etc/passwd\", "
        "\"words\": \"\"}]"}) {
    std::ofstream(list) << text;
    EXPECT_FALSE(cache.find(kKey)) << text;
  }
  cache.store(kKey, two_parts());
  std::filesystem::remove(stored[1].file);
  EXPECT_FALSE(cache.find(kKey));
}

TEST(TranscodeCache, SaysWhatToSetWhereItCannotWrite) {
  const testing::TempDir folder;
  std::ofstream(folder / "file") << "no folder";
  const TranscodeCache cache(folder / "file/cache");
  try {
    cache.store(kKey, two_parts());
    FAIL();
  } catch (const Exception& error) {
    EXPECT_EQ(error.code(), ErrorCode::kNotFound);
    EXPECT_THAT(error.what(), HasSubstr("CONTRA4_CACHE"));
  }
}

}  // namespace
}  // namespace contra4::media
