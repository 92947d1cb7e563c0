#include "contra4/clients/chat_protocol.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace contra4::clients {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using Next = ReplyVerdict::Next;

ReplyVerdict verdict(int status, std::string_view message = "the server's words") {
  return verdict_of_status(status, message, "http://a/v1", "OPENAI_API_KEY");
}

TEST(VerdictOfStatus, ARefusedKeyEndsTheRunAndNamesItsVariable) {
  for (const int status : {401, 403}) {
    const ReplyVerdict refused = verdict(status);
    EXPECT_EQ(refused.next, Next::kEndRun);
    EXPECT_EQ(refused.error.code, ErrorCode::kUnauthenticated);
    EXPECT_THAT(refused.error.message, HasSubstr("OPENAI_API_KEY"));
    EXPECT_THAT(refused.error.message, HasSubstr("http://a/v1"));
    EXPECT_THAT(refused.error.message, HasSubstr("the server's words"));
  }
}

TEST(VerdictOfStatus, WhatMayPassIsRetried) {
  for (const int status : {408, 409, 425, 429, 500, 502, 503, 504}) {
    EXPECT_EQ(verdict(status).next, Next::kRetry) << status;
  }
  EXPECT_EQ(verdict(429).error.code, ErrorCode::kResourceExhausted);
  EXPECT_EQ(verdict(503).error.code, ErrorCode::kUnavailable);
  EXPECT_EQ(verdict(504).error.code, ErrorCode::kDeadlineExceeded);
}

TEST(VerdictOfStatus, AllElseIsAFailedRequest) {
  for (const int status : {100, 302, 400, 404, 413, 422, 501, 505}) {
    const ReplyVerdict failed = verdict(status);
    EXPECT_EQ(failed.next, Next::kFinal) << status;
    EXPECT_EQ(failed.status, OutcomeStatus::kFailed) << status;
    EXPECT_THAT(failed.error.message, HasSubstr(std::to_string(status)));
  }
  EXPECT_EQ(verdict(400).error.code, ErrorCode::kInvalidArgument);
  EXPECT_EQ(verdict(404).error.code, ErrorCode::kNotFound);
  EXPECT_EQ(verdict(501).error.code, ErrorCode::kUnimplemented);
  EXPECT_THAT(verdict(308).error.message, HasSubstr("redirect"));
}

TEST(VerdictOfStatus, TheServersWordsAreCut) {
  EXPECT_LT(verdict(500, std::string(10'000, 'x')).error.message.size(), 400U);
  EXPECT_EQ(verdict(500, "").error.message, "http://a/v1 answers 500");
}

TEST(Shorten, KeepsWhatFits) {
  EXPECT_EQ(shorten("a b"), "a b");
  EXPECT_EQ(shorten(""), "");
  EXPECT_EQ(shorten("abcdef", 3), "abc");
  EXPECT_EQ(shorten("abc", 0), "");
  EXPECT_EQ(shorten(std::string(1'000, 'x')).size(), 300U);
}

TEST(Shorten, CutsBetweenCharacters) {
  EXPECT_EQ(shorten("a\u00E4\u00E4", 4), "a\u00E4");
  EXPECT_EQ(shorten("\U0001F600\U0001F600", 7), "\U0001F600");
}

TEST(Shorten, IsOneLineThatATerminalDoesNotObey) {
  EXPECT_EQ(shorten("a\r\nb\tc\x1b[31m\x7f"), "a  b c [31m ");
  EXPECT_EQ(shorten("a\u0085\u009bz\u00a0"), "a  z\u00a0");
  EXPECT_EQ(shorten(std::string_view("\0x", 2)), " x");
}

TEST(Shorten, InvalidUtf8IsReplaced) {
  const std::string bad = "\uFFFD";
  EXPECT_EQ(shorten("a\x80z"), "a" + bad + "z");
  EXPECT_EQ(shorten("\xC0\xAF"), bad + bad) << "overlong";
  EXPECT_EQ(shorten("\xED\xA0\x80"), bad + bad + bad) << "a surrogate";
  EXPECT_EQ(shorten("\xF4\x90\x80\x80"), bad + bad + bad + bad) << "above U+10FFFF";
  EXPECT_EQ(shorten("\xE2\x82"), bad + bad) << "cut";
  EXPECT_EQ(shorten("\xFF"), bad);
}

class Minimal final : public ChatProtocol {
 public:
  Result<net::HttpRequest> build(const GenerateRequest& request, std::size_t endpoint) override {
    net::HttpRequest http;
    http.url = request.name + std::to_string(endpoint);
    return http;
  }
  ReplyVerdict parse(const GenerateRequest& /*request*/, std::size_t /*endpoint*/,
                     const net::HttpResponse& response) override {
    ReplyVerdict answered;
    answered.text = response.body;
    return answered;
  }
};

TEST(ChatProtocol, WithoutProbesIsAlwaysReady) {
  Minimal protocol;
  GenerateRequest request;
  request.name = "item";
  EXPECT_EQ(protocol.readiness(request, 0), Readiness::kReady);
  EXPECT_EQ(protocol.unsupported_reason(request, 0).code, ErrorCode::kUnimplemented);
  EXPECT_EQ(protocol.build_probe(request, 3).value().url, "item3");
  net::HttpResponse response;
  response.body = "text";
  EXPECT_EQ(protocol.settle_probe(request, 0, response).text, "text");
  EXPECT_EQ(protocol.redacted("body"), "body");
}

}  // namespace
}  // namespace contra4::clients
