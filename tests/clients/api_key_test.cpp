#include "contra4/clients/api_key.h"

#include <gtest/gtest.h>

#include "contra4/base/error.h"

namespace contra4::clients {
namespace {

TEST(ApiKey, DropsBlanksAroundTheKey) {
  const ApiKey key(Secret(" sk-123456789\r\n"), "OPENAI_API_KEY");
  EXPECT_TRUE(key.is_set());
  EXPECT_EQ(key.reveal(), "sk-123456789");
}

TEST(ApiKey, IsNotSetWhenEmptyOrBlank) {
  EXPECT_FALSE(ApiKey(Secret(), "X").is_set());
  EXPECT_FALSE(ApiKey(Secret(" \n"), "X").is_set());
}

TEST(ApiKey, RefusesAKeyThatWouldSplitTheHeaderWithoutShowingIt) {
  for (const std::string bad : {"sk-secret\r\nX-Evil: 1", "sk secret", "sk-secr\xc3\xa9t"}) {
    try {
      const ApiKey key{Secret(bad), "OPENAI_API_KEY"};
      FAIL() << "accepted";
    } catch (const Exception& error) {
      EXPECT_EQ(error.code(), ErrorCode::kInvalidArgument);
      EXPECT_NE(std::string(error.what()).find("OPENAI_API_KEY"), std::string::npos);
      EXPECT_EQ(std::string(error.what()).find("secr"), std::string::npos);
    }
  }
}

TEST(ApiKey, CleansWhatComesBackButLeavesDummyKeysInWords) {
  EXPECT_EQ(ApiKey(Secret("sk-123456789"), "X").clean("bad key sk-123456789!"), "bad key ***!");
  EXPECT_EQ(ApiKey(Secret("EMPTY"), "X").clean("the EMPTY room"), "the EMPTY room");
  EXPECT_EQ(ApiKey(Secret(), "X").clean("as it is"), "as it is");
}

}  // namespace
}  // namespace contra4::clients
