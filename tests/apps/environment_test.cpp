#include "contra4/apps/environment.h"

#include <fstream>
#include <map>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "contra4/base/error.h"
#include "tests/support/test_env.h"

namespace contra4::apps {
namespace {

Environment of(std::map<std::string, std::string> variables) {
  return [variables = std::move(variables)](const std::string& name) -> std::optional<std::string> {
    const auto found = variables.find(name);
    if (found == variables.end()) return std::nullopt;
    return found->second;
  };
}

TEST(CacheFolder, TakesTheFirstThatIsSet) {
  EXPECT_EQ(cache_folder(of({{"CONTRA4_CACHE", "/c"}, {"HOME", "/h"}})), "/c");
  EXPECT_EQ(cache_folder(of({{"XDG_CACHE_HOME", "/x"}, {"HOME", "/h"}})), "/x/contra4");
  EXPECT_EQ(cache_folder(of({{"HOME", "/h"}})), "/h/.cache/contra4");
  EXPECT_EQ(cache_folder(of({})), ".contra4-cache");
}

TEST(MinilmFolder, AFolderThatWasNamedMustHoldTheWeights) {
  const contra4::testing::TempDir folder;
  const auto environment = of({{"CONTRA4_MINILM", folder.path().string()}});
  try {
    minilm_folder(environment);
    FAIL();
  } catch (const Exception& error) {
    EXPECT_EQ(error.code(), ErrorCode::kNotFound);
    EXPECT_THAT(error.what(), ::testing::HasSubstr("CONTRA4_MINILM"));
  }
  std::ofstream(folder / "model.safetensors") << "x";
  EXPECT_EQ(minilm_folder(environment), folder.path());
}

}  // namespace
}  // namespace contra4::apps
