#include "contra4/clients/retry.h"

#include <gtest/gtest.h>

namespace contra4::clients {
namespace {

using std::chrono::milliseconds;

std::optional<milliseconds> wish(std::vector<std::pair<std::string, std::string>> headers,
                                 std::int64_t unix_now_s = 0) {
  net::HttpResponse response;
  response.headers = std::move(headers);
  return retry_after(response, unix_now_s);
}

TEST(Retry, StatusesThatMayPassAreRetried) {
  for (const int status : {408, 409, 425, 429, 500, 502, 503, 504, 529, 599}) {
    EXPECT_TRUE(is_retried_status(status)) << status;
  }
  for (const int status : {200, 302, 400, 401, 403, 404, 413, 422, 501, 505, 600, 0, -1}) {
    EXPECT_FALSE(is_retried_status(status)) << status;
  }
}

TEST(Retry, ErrorsOfTheNetworkAreRetried) {
  EXPECT_TRUE(is_retried_error(ErrorCode::kUnavailable));
  EXPECT_TRUE(is_retried_error(ErrorCode::kDeadlineExceeded));
  EXPECT_FALSE(is_retried_error(ErrorCode::kInvalidArgument));
  EXPECT_FALSE(is_retried_error(ErrorCode::kResourceExhausted));
}

TEST(Backoff, DoublesWithinJitterUpToTheCap) {
  const RetryOptions options;
  Random random(1);
  double expected_ms = 500;
  for (int failures = 1; failures < 60; ++failures) {
    const auto delay = static_cast<double>(backoff_delay(failures, options, random).count());
    EXPECT_GE(delay, expected_ms / 2 - 1);
    EXPECT_LE(delay, expected_ms);
    expected_ms = std::min(expected_ms * 2, 30'000.0);
  }
}

TEST(Backoff, JitterDependsOnTheSeedAlone) {
  Random a(3);
  Random b(3);
  Random c(4);
  int differing = 0;
  for (int i = 1; i < 10; ++i) {
    const auto delay = backoff_delay(i, {}, a);
    EXPECT_EQ(delay, backoff_delay(i, {}, b));
    differing += delay != backoff_delay(i, {}, c) ? 1 : 0;
  }
  EXPECT_GT(differing, 5);
}

TEST(Backoff, OddCountsAndZeroDelaysAreHarmless) {
  Random random(1);
  EXPECT_LE(backoff_delay(0, {}, random).count(), 500);
  EXPECT_LE(backoff_delay(1'000'000'000, {}, random).count(), 30'000);
  EXPECT_EQ(backoff_delay(5, {.first_delay = milliseconds(0)}, random).count(), 0);
}

TEST(RetryAfter, SecondsAndMillisecondsAreRead) {
  EXPECT_EQ(wish({{"retry-after", "3"}}), milliseconds(3'000));
  EXPECT_EQ(wish({{"retry-after", " 0.25 "}}), milliseconds(250));
  EXPECT_EQ(wish({{"retry-after", "0"}}), milliseconds(0));
  EXPECT_EQ(wish({{"retry-after-ms", "40"}, {"retry-after", "3"}}), milliseconds(40));
  EXPECT_EQ(wish({{"retry-after-ms", "x"}, {"retry-after", "3"}}), milliseconds(3'000));
}

TEST(RetryAfter, HugeWishesStayInRange) {
  EXPECT_GT(wish({{"retry-after", "1e300"}})->count(), 1'000'000'000);
  EXPECT_GT(wish({{"retry-after", "99999999999999999999"}})->count(), 1'000'000'000);
}

TEST(RetryAfter, UnreadableWishesAreNone) {
  for (const char* text : {"", " ", "soon", "3s", "-1", "nan", "inf", "1e999", "0x10", "1 2"}) {
    EXPECT_FALSE(wish({{"retry-after", text}})) << text;
  }
  EXPECT_FALSE(wish({}));
}

TEST(RetryAfter, DatesCountFromTheRepliesOwnDate) {
  const std::string until = "Sun, 06 Nov 1994 08:49:37 GMT";
  EXPECT_EQ(wish({{"retry-after", until}, {"date", "Sun, 06 Nov 1994 08:49:30 GMT"}}, 5),
            milliseconds(7'000));
  EXPECT_EQ(wish({{"retry-after", until}}, 784111777 - 2), milliseconds(2'000));
  EXPECT_EQ(wish({{"retry-after", until}, {"date", "yesterday"}}, 784111777), milliseconds(0));
  EXPECT_EQ(wish({{"retry-after", until}}, 784111777 + 100), milliseconds(0)) << "past: at once";
}

TEST(HttpDate, ReadsTheFixedFormat) {
  EXPECT_EQ(parse_http_date("Sun, 06 Nov 1994 08:49:37 GMT"), 784111777);
  EXPECT_EQ(parse_http_date("Thu, 01 Jan 1970 00:00:00 GMT"), 0);
  EXPECT_EQ(parse_http_date("Thu, 29 Feb 2024 23:59:59 GMT"), 1709251199);
}

TEST(HttpDate, RefusesEverythingElse) {
  for (const char* text : {"", "Sun, 06 Nov 1994 08:49:37", "Sun, 06 Nov 1994 08:49:37 CET",
                           "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994",
                           "Xxx, 06 Nov 1994 08:49:37 GMT", "Sun, 06 Xxx 1994 08:49:37 GMT",
                           "Sun, 31 Feb 1994 08:49:37 GMT", "Sun, 00 Nov 1994 08:49:37 GMT",
                           "Sun, 06 Nov 1994 24:49:37 GMT", "Sun, 06 Nov 1994 08:60:37 GMT",
                           "Sun, 06 Nov 1994 08:49:61 GMT", "Sun, -6 Nov 1994 08:49:37 GMT",
                           "Sun, 06 Nov +994 08:49:37 GMT"}) {
    EXPECT_FALSE(parse_http_date(text)) << text;
  }
}

}  // namespace
}  // namespace contra4::clients
