#include "contra4/net/transport.h"

#include <gtest/gtest.h>

namespace contra4::net {
namespace {

TEST(HttpResponse, HeaderGivesTheFirstOfThatName) {
  HttpResponse response;
  response.headers = {{"retry-after", "3"}, {"set-cookie", "a"}, {"set-cookie", "b"}};
  EXPECT_EQ(response.header("retry-after"), "3");
  EXPECT_EQ(response.header("set-cookie"), "a");
}

TEST(HttpResponse, AMissingHeaderIsEmpty) {
  EXPECT_EQ(HttpResponse().header("retry-after"), "");
}

TEST(HttpRequest, CarriesLimitsUnlessToldOtherwise) {
  const HttpRequest request;
  EXPECT_GT(request.connect_timeout.count(), 0);
  EXPECT_GT(request.total_timeout, request.connect_timeout);
  EXPECT_GT(request.max_response_bytes, 0U);
}

}  // namespace
}  // namespace contra4::net
