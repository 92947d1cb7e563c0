#include "contra4/clients/server_message.h"

#include <gtest/gtest.h>

#include "tests/clients/protocol_support.h"

namespace contra4::clients {
namespace {

ServerMessage parse(int status, const std::string& body) {
  const auto root = io::parse_json(body, "test");
  return parse_server_message(status, root ? &root.value() : nullptr, body);
}

TEST(ServerMessage, ReadsOpenAi) {
  const ServerMessage message =
      parse(400, R"({"error": {"message": "Unsupported parameter: 'max_tokens' is not supported",
               "type": "invalid_request_error", "param": "max_tokens",
               "code": "unsupported_parameter"}})");
  EXPECT_EQ(message.status, 400);
  EXPECT_EQ(message.code, "unsupported_parameter");
  EXPECT_EQ(message.type, "invalid_request_error");
  EXPECT_EQ(message.param, "max_tokens");
  EXPECT_TRUE(message.names("max_tokens"));
  EXPECT_FALSE(message.names("tokens"));
  EXPECT_TRUE(message.mentions("unsupported parameter"));
}

TEST(ServerMessage, ReadsVllmsOlderAndNewerForm) {
  EXPECT_EQ(parse(400, R"({"object": "error", "message": "m", "type": "BadRequestError",
                           "param": null, "code": 400})")
                .message,
            "m");
  const ServerMessage newer = parse(
      400, R"({"error": {"message": "m", "type": "BadRequestError", "param": null, "code": 400}})");
  EXPECT_EQ(newer.message, "m");
  EXPECT_EQ(newer.code, "400");
}

TEST(ServerMessage, ReadsGeminiAlsoInAnArray) {
  for (const std::string body :
       {R"({"error": {"code": 429, "message": "slow down", "status": "RESOURCE_EXHAUSTED"}})",
        R"([{"error": {"code": 429, "message": "slow down", "status": "RESOURCE_EXHAUSTED"}}])"}) {
    const ServerMessage message = parse(429, body);
    EXPECT_EQ(message.message, "slow down");
    EXPECT_EQ(message.code, "RESOURCE_EXHAUSTED");
  }
}

TEST(ServerMessage, ReadsFastApisText) {
  EXPECT_EQ(parse(422, R"({"detail": "Unexpected keys in the request: {'seed'}"})").message,
            "Unexpected keys in the request: {'seed'}");
}

TEST(ServerMessage, ReadsFastApisListWithPlaces) {
  const ServerMessage message =
      parse(422, R"({"detail": [{"type": "extra_forbidden", "loc": ["body", "seed"],
                           "msg": "Extra inputs are not permitted", "input": 3},
                          {"loc": ["body", 0], "msg": "x", "type": "y"}, 7]})");
  EXPECT_TRUE(message.names("seed"));
  EXPECT_TRUE(message.mentions("extra_forbidden"));
}

TEST(ServerMessage, TakesAnErrorThatIsAText) {
  EXPECT_EQ(parse(500, R"({"error": "model is loading"})").message, "model is loading");
}

TEST(ServerMessage, TakesTheStatusOfAnErrorSentAsSuccess) {
  EXPECT_EQ(parse(200, R"({"error": {"message": "m", "code": 502}})").status, 502);
  EXPECT_EQ(parse(200, R"({"error": {"message": "m", "code": 7}})").status, 200);
  EXPECT_EQ(parse(404, R"({"error": {"message": "m", "code": 502}})").status, 404);
}

TEST(ServerMessage, TakesAnyOtherBodyAsItsWords) {
  EXPECT_EQ(parse(502, "<html>Bad Gateway</html>").message, "<html>Bad Gateway</html>");
  EXPECT_EQ(parse(500, R"({"error": {}})").message, R"({"error": {}})");
  EXPECT_EQ(parse(500, "[]").message, "[]");
  EXPECT_EQ(parse(500, "").message, "");
}

TEST(ServerMessage, KeepsOnlyTheStartOfABodyOfMegabytes) {
  EXPECT_LT(parse(500, std::string(5'000'000, 'x')).message.size(), 10'000U);
}

}  // namespace
}  // namespace contra4::clients
