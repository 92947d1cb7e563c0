#include "contra4/base/error.h"

#include <gtest/gtest.h>

namespace contra4 {
namespace {

TEST(Error, ResultHoldsValueOrError) {
  const Result<int> good = 7;
  ASSERT_TRUE(good);
  EXPECT_EQ(*good, 7);
  const Result<int> bad = Error{ErrorCode::kNotFound, "no such thing"};
  ASSERT_FALSE(bad);
  EXPECT_EQ(bad.error().code, ErrorCode::kNotFound);
}

TEST(Error, ValueOfAnErrorThrowsItWithCodeAndText) {
  const Result<int> bad = Error{ErrorCode::kDataLoss, "cut at byte 12"};
  try {
    (void)bad.value();
    FAIL() << "no exception";
  } catch (const Exception& exception) {
    EXPECT_EQ(exception.code(), ErrorCode::kDataLoss);
    EXPECT_STREQ(exception.what(), "cut at byte 12");
  }
  EXPECT_THROW(Result<void>(Error{ErrorCode::kInternal, "x"}).value(), Exception);
  EXPECT_NO_THROW(Result<void>().value());
}

TEST(Error, CheckNamesFileConditionAndSaysItIsOurBug) {
  try {
    CONTRA4_CHECK(1 + 1 == 3, "arithmetic");
    FAIL() << "no exception";
  } catch (const Exception& exception) {
    EXPECT_EQ(exception.code(), ErrorCode::kInternal);
    const std::string text = exception.what();
    EXPECT_NE(text.find("error_test.cpp"), std::string::npos);
    EXPECT_NE(text.find("1 + 1 == 3"), std::string::npos);
    EXPECT_NE(text.find("bug in contra4"), std::string::npos);
  }
}

TEST(Error, CodesHaveStableNames) {
  EXPECT_EQ(to_string(ErrorCode::kResourceExhausted), "resource_exhausted");
  EXPECT_EQ(to_string(ErrorCode::kCancelled), "cancelled");
}

}  // namespace
}  // namespace contra4
