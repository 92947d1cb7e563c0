#include "contra4/clients/engine_options.h"

#include <functional>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/error_of.h"

namespace contra4::clients {
namespace {

using std::chrono::milliseconds;
using testing::error_of;
using ::testing::HasSubstr;

void expect_refused(const std::function<void(EngineOptions&)>& change, const std::string& words) {
  EngineOptions options;
  change(options);
  const Error error = error_of([&] { options.validate(); });
  EXPECT_EQ(error.code, ErrorCode::kInvalidArgument) << words;
  EXPECT_THAT(error.message, HasSubstr(words));
}

TEST(EngineOptions, DefaultsHold) {
  EXPECT_NO_THROW(EngineOptions().validate());
}

TEST(EngineOptions, WhatIsOutOfRangeIsNamed) {
  expect_refused([](auto& o) { o.retry.max_tries = 0; }, "at least one try");
  expect_refused([](auto& o) { o.retry.max_rate_limit_tries = -1; }, "rate-limited tries");
  expect_refused([](auto& o) { o.retry.first_delay = milliseconds(-1); }, "0 <= first delay");
  expect_refused([](auto& o) { o.retry.max_delay = milliseconds(0); }, "<= longest delay");
  expect_refused([](auto& o) { o.retry.max_retry_after = milliseconds(-1); }, "Retry-After");
  expect_refused([](auto& o) { o.connect_timeout = milliseconds(0); }, "a connect timeout");
  expect_refused([](auto& o) { o.total_timeout = milliseconds(-5); }, "a total timeout");
  expect_refused([](auto& o) { o.max_reply_bytes = 0; }, "a reply size");
  expect_refused([](auto& o) { o.give_up_after = milliseconds(0); }, "a time to give up after");
  expect_refused([](auto& o) { o.give_up_tries_at_start = 0; }, "per endpoint at the start");
}

}  // namespace
}  // namespace contra4::clients
