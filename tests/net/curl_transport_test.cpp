#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "contra4/net/transport.h"
#include "tests/support/loopback_server.h"

namespace contra4::net {
namespace {

using std::chrono::milliseconds;
using ::testing::HasSubstr;
using testing::LoopbackReply;
using testing::LoopbackRequest;
using testing::LoopbackServer;
using ::testing::Not;

LoopbackReply say_hello(const LoopbackRequest& /*request*/) {
  return {.body = "hello"};
}

HttpRequest post(std::string url, std::string body = "{}") {
  HttpRequest request;
  request.url = std::move(url);
  request.body = std::move(body);
  request.total_timeout = milliseconds(20'000);
  return request;
}

void poll_until_idle(Transport& transport) {
  while (transport.in_flight() > 0) transport.poll(milliseconds(100));
}

Result<HttpResponse> fetch(Transport& transport, HttpRequest request) {
  std::optional<Result<HttpResponse>> outcome;
  transport.start(std::move(request), [&](Result<HttpResponse> result) { outcome = result; });
  EXPECT_FALSE(outcome) << "called back inside start()";
  poll_until_idle(transport);
  EXPECT_TRUE(outcome) << "never called back";
  return outcome.value_or(Error{});
}

Result<HttpResponse> fetch_from(testing::LoopbackHandler handler) {
  const LoopbackServer server(std::move(handler));
  const auto transport = make_curl_transport();
  return fetch(*transport, post(server.url() + "/x"));
}

TEST(CurlTransport, SendsMethodPathHeadersAndBody) {
  const LoopbackServer server(say_hello);
  const auto transport = make_curl_transport();
  HttpRequest request = post(server.url() + "/v1/chat?x=1", "the \0 body");
  request.body = std::string("the \0 body", 10);
  request.headers = {{"Content-Type", "application/json"}, {"Authorization", "Bearer k"}};
  const auto response = fetch(*transport, std::move(request));
  ASSERT_TRUE(response) << response.error().message;
  EXPECT_EQ(response->status, 200);
  EXPECT_EQ(response->body, "hello");
  EXPECT_EQ(response->header("content-type"), "application/json");
  const auto seen = server.requests();
  ASSERT_EQ(seen.size(), 1U);
  EXPECT_EQ(seen[0].method, "POST");
  EXPECT_EQ(seen[0].target, "/v1/chat?x=1");
  EXPECT_EQ(seen[0].body, std::string("the \0 body", 10));
  EXPECT_EQ(seen[0].header("authorization"), "Bearer k");
  EXPECT_EQ(seen[0].header("content-type"), "application/json");
  EXPECT_THAT(std::string(seen[0].header("user-agent")), HasSubstr("contra4/"));
}

TEST(CurlTransport, AHandleUsedForPostServesGetAfterwards) {
  const LoopbackServer server(say_hello);
  const auto transport = make_curl_transport();
  ASSERT_TRUE(fetch(*transport, post(server.url(), "data")));
  HttpRequest get;
  get.method = "GET";
  get.url = server.url() + "/v1/models";
  ASSERT_TRUE(fetch(*transport, get));
  HttpRequest remove = post(server.url() + "/file");
  remove.method = "DELETE";
  ASSERT_TRUE(fetch(*transport, remove));
  ASSERT_TRUE(fetch(*transport, post(server.url(), "")));
  const auto seen = server.requests();
  ASSERT_EQ(seen.size(), 4U);
  EXPECT_EQ(seen[1].method, "GET");
  EXPECT_EQ(seen[1].body, "");
  EXPECT_EQ(seen[2].method, "DELETE");
  EXPECT_EQ(seen[3].method, "POST");
  EXPECT_EQ(seen[3].body, "");
}

TEST(CurlTransport, ConnectionsAreKeptAlive) {
  const LoopbackServer server(say_hello);
  const auto transport = make_curl_transport();
  for (int i = 0; i < 20; ++i) ASSERT_TRUE(fetch(*transport, post(server.url())));
  EXPECT_EQ(server.num_requests(), 20U);
  EXPECT_EQ(server.num_connections(), 1U);
}

TEST(CurlTransport, ManyAreInFlightAtOnceAndCallbacksMayStartMore) {
  const LoopbackServer server([](const LoopbackRequest& request) {
    return LoopbackReply{.body = request.body, .delay = milliseconds(20)};
  });
  const auto transport = make_curl_transport();
  std::vector<std::string> bodies;
  for (int i = 0; i < 50; ++i) {
    const std::string body = std::to_string(i);
    transport->start(post(server.url(), body), [&, body](Result<HttpResponse> first) {
      ASSERT_TRUE(first);
      EXPECT_EQ(first->body, body);
      transport->start(post(server.url(), body + "!"), [&](Result<HttpResponse> second) {
        ASSERT_TRUE(second);
        bodies.push_back(second->body);
      });
    });
  }
  EXPECT_EQ(transport->in_flight(), 50U);
  poll_until_idle(*transport);
  EXPECT_EQ(bodies.size(), 50U);
  EXPECT_GT(server.peak_pending(), 1U);
}

TEST(CurlTransport, StatusesThatAreNo2xxAreValues) {
  for (const int status : {302, 400, 401, 404, 429, 500, 503}) {
    const auto response = fetch_from([status](const LoopbackRequest&) {
      return LoopbackReply{.status = status, .body = "why", .headers = {{"Retry-After", "7"}}};
    });
    ASSERT_TRUE(response);
    EXPECT_EQ(response->status, status);
    EXPECT_EQ(response->body, "why");
    EXPECT_EQ(response->header("retry-after"), "7");
  }
}

TEST(CurlTransport, RedirectsAreNotFollowed) {
  const LoopbackServer other(say_hello);
  const auto response = fetch_from([&](const LoopbackRequest&) {
    return LoopbackReply{.status = 302, .headers = {{"Location", other.url()}}};
  });
  ASSERT_TRUE(response);
  EXPECT_EQ(response->status, 302);
  EXPECT_EQ(other.num_requests(), 0U);
}

TEST(CurlTransport, ARefusedConnectionIsUnavailable) {
  std::string url;
  { url = LoopbackServer(say_hello).url(); }
  const auto transport = make_curl_transport();
  const auto response = fetch(*transport, post(url));
  ASSERT_FALSE(response);
  EXPECT_EQ(response.error().code, ErrorCode::kUnavailable);
  EXPECT_THAT(response.error().message, HasSubstr(url));
}

TEST(CurlTransport, CutGarbledAndHalfRepliesAreUnavailable) {
  using Ending = LoopbackReply::Ending;
  for (const Ending ending : {Ending::kCutAtOnce, Ending::kGarbage, Ending::kHalfBody}) {
    const auto response = fetch_from([ending](const LoopbackRequest&) {
      return LoopbackReply{.body = "some bytes that are no HTTP\n", .ending = ending};
    });
    ASSERT_FALSE(response) << static_cast<int>(ending);
    EXPECT_EQ(response.error().code, ErrorCode::kUnavailable) << response.error().message;
  }
}

TEST(CurlTransport, SilenceEndsAtTheTotalTimeout) {
  const LoopbackServer server([](const LoopbackRequest&) {
    return LoopbackReply{.body = "late", .delay = milliseconds(60'000)};
  });
  const auto transport = make_curl_transport();
  HttpRequest request = post(server.url());
  request.total_timeout = milliseconds(30);
  const auto response = fetch(*transport, std::move(request));
  ASSERT_FALSE(response);
  EXPECT_EQ(response.error().code, ErrorCode::kDeadlineExceeded) << response.error().message;
  // The handle serves the next request, with that one's own limit.
  EXPECT_FALSE(fetch(*transport, [&] {
    HttpRequest again = post(server.url());
    again.total_timeout = milliseconds(20);
    return again;
  }()));
}

TEST(CurlTransport, AnAnswerUpToTheLimitPassesAndOneByteMoreDoesNot) {
  const LoopbackServer server(
      [](const LoopbackRequest&) { return LoopbackReply{.body = std::string(10U << 20, 'x')}; });
  const auto transport = make_curl_transport();
  HttpRequest request = post(server.url());
  request.max_response_bytes = 10U << 20;
  const auto whole = fetch(*transport, request);
  ASSERT_TRUE(whole) << whole.error().message;
  EXPECT_EQ(whole->body.size(), 10U << 20);
  request.max_response_bytes = (10U << 20) - 1;
  const auto cut = fetch(*transport, request);
  ASSERT_FALSE(cut);
  EXPECT_EQ(cut.error().code, ErrorCode::kResourceExhausted);
  EXPECT_THAT(cut.error().message, HasSubstr("10485759 bytes"));
}

TEST(CurlTransport, EndlessHeadersAreRefused) {
  const auto response = fetch_from([](const LoopbackRequest&) {
    LoopbackReply reply{.body = "x"};
    for (int i = 0; i < 400; ++i) reply.headers.emplace_back("X-Filler", std::string(1'000, 'y'));
    return reply;
  });
  ASSERT_FALSE(response);
}

TEST(CurlTransport, HeaderValuesWithLineBreaksAreRefusedUnsent) {
  const LoopbackServer server(say_hello);
  const auto transport = make_curl_transport();
  for (const char* value : {"a\r\nX-Evil: 1", "a\nb", "a\rb"}) {
    HttpRequest request = post(server.url());
    request.headers = {{"Authorization", value}};
    const auto response = fetch(*transport, std::move(request));
    ASSERT_FALSE(response);
    EXPECT_EQ(response.error().code, ErrorCode::kInvalidArgument);
    EXPECT_THAT(response.error().message, HasSubstr("'Authorization'"));
    EXPECT_THAT(response.error().message, Not(HasSubstr("Evil")));
  }
  HttpRequest name = post(server.url());
  name.headers = {{"X-A: 1\r\nX-B", "c"}};
  EXPECT_FALSE(fetch(*transport, std::move(name)));
  EXPECT_EQ(server.num_requests(), 0U);
}

TEST(CurlTransport, OtherUrlsAreRefusedWithoutTheirSecrets) {
  const auto transport = make_curl_transport();
  for (const char* url :
       {"", "file:///etc/passwd", "ftp://user:hush@a/b", "localhost:1/v1", "gopher://a?hush"}) {
    const auto response = fetch(*transport, post(url));
    ASSERT_FALSE(response) << url;
    EXPECT_EQ(response.error().code, ErrorCode::kInvalidArgument) << response.error().message;
    EXPECT_THAT(response.error().message, Not(HasSubstr("hush")));
  }
  const auto port = fetch(*transport, post("http://127.0.0.1:99999/x?hush"));
  ASSERT_FALSE(port);
  EXPECT_EQ(port.error().code, ErrorCode::kInvalidArgument) << port.error().message;
  EXPECT_THAT(port.error().message, Not(HasSubstr("hush")));
}

TEST(CurlTransport, CancelledRequestsAreNeverCalledBack) {
  const LoopbackServer server([](const LoopbackRequest&) {
    return LoopbackReply{.body = "late", .delay = milliseconds(60'000)};
  });
  const auto transport = make_curl_transport();
  int calls = 0;
  for (int i = 0; i < 10; ++i) {
    transport->start(post(server.url()), [&](Result<HttpResponse>) { ++calls; });
  }
  transport->start(post("no url"), [&](Result<HttpResponse>) { ++calls; });
  transport->poll(milliseconds(10));
  transport->cancel_all();
  EXPECT_EQ(transport->in_flight(), 0U);
  transport->poll(milliseconds(0));
  transport->poll(milliseconds(0));
  EXPECT_LE(calls, 1);  // the refused URL may have been told before
  const LoopbackServer other(say_hello);
  EXPECT_TRUE(fetch(*transport, post(other.url())));
}

TEST(CurlTransport, MayBeDestroyedWithRequestsInFlight) {
  const LoopbackServer server([](const LoopbackRequest&) {
    return LoopbackReply{.body = "late", .delay = milliseconds(60'000)};
  });
  const auto transport = make_curl_transport();
  transport->start(post(server.url()), [](Result<HttpResponse>) { FAIL(); });
  transport->poll(milliseconds(10));
}

TEST(CurlTransport, ACallbackThatThrowsLeavesTheTransportUsable) {
  const LoopbackServer server(say_hello);
  const auto transport = make_curl_transport();
  transport->start(post(server.url()),
                   [](Result<HttpResponse>) { throw std::runtime_error("no"); });
  EXPECT_THROW(poll_until_idle(*transport), std::runtime_error);
  EXPECT_EQ(transport->in_flight(), 0U);
  EXPECT_TRUE(fetch(*transport, post(server.url())));
}

TEST(CurlTransport, ATlsServerThatIsNoneIsAnError) {
  const LoopbackServer server(say_hello);
  const auto transport = make_curl_transport();
  HttpRequest request = post("https" + server.url().substr(4));
  request.connect_timeout = milliseconds(30);  // the server waits for the rest of a request line
  const auto response = fetch(*transport, std::move(request));
  ASSERT_FALSE(response);
  EXPECT_EQ(response.error().code, ErrorCode::kDeadlineExceeded) << response.error().message;
}

TEST(CurlTransport, PollingWithNothingToDoReturns) {
  const auto transport = make_curl_transport();
  transport->poll(milliseconds(0));
  transport->poll(milliseconds(-5));
  EXPECT_EQ(transport->in_flight(), 0U);
}

TEST(CurlTransport, ConnectionsClosedByTheServerAreReplaced) {
  const LoopbackServer server([](const LoopbackRequest&) {
    return LoopbackReply{.body = "bye", .ending = LoopbackReply::Ending::kClose};
  });
  const auto transport = make_curl_transport();
  for (int i = 0; i < 5; ++i) {
    const auto response = fetch(*transport, post(server.url()));
    ASSERT_TRUE(response);
    EXPECT_EQ(response->body, "bye");
  }
  EXPECT_EQ(server.num_connections(), 5U);
}

}  // namespace
}  // namespace contra4::net
