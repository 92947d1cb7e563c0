// request_engine.h over the real transport, against a real server.
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <thread>

#include <gtest/gtest.h>

#include "contra4/clients/request_engine.h"
#include "tests/support/loopback_server.h"

namespace contra4::clients {
namespace {

using std::chrono::milliseconds;

class EngineLoopback : public ::testing::Test {
 protected:
  class Protocol final : public ChatProtocol {
   public:
    explicit Protocol(std::string url) : url_(std::move(url)) {}
    Result<net::HttpRequest> build(const GenerateRequest& request, std::size_t) override {
      net::HttpRequest http;
      http.url = url_ + "/chat/completions";
      http.body = request.name;
      return http;
    }
    ReplyVerdict parse(const GenerateRequest&, std::size_t,
                       const net::HttpResponse& response) override {
      if (response.status != 200) return verdict_of_status(response.status, "", url_, "KEY");
      ReplyVerdict verdict;
      verdict.status = OutcomeStatus::kAnswered;
      verdict.text = response.body;
      return verdict;
    }

   private:
    std::string url_;
  };

  std::map<std::uint64_t, std::string> ask(const contra4::testing::LoopbackServer& server,
                                           std::uint64_t count) {
    RequestEngine engine({server.base_url()}, options_,
                         std::make_unique<Protocol>(server.base_url()), net::make_curl_transport(),
                         clock_);
    std::map<std::uint64_t, std::string> answers;
    std::uint64_t next = 0;
    engine.run(
        [&]() -> std::optional<GenerateRequest> {
          if (next == count) return std::nullopt;
          GenerateRequest request;
          request.ticket = next++;
          request.name = "item " + std::to_string(request.ticket);
          return request;
        },
        [&](GenerateOutcome outcome) {
          EXPECT_EQ(outcome.status, OutcomeStatus::kAnswered) << outcome.error.message;
          EXPECT_TRUE(answers.emplace(outcome.ticket, outcome.text).second);
        },
        {});
    return answers;
  }

  EngineOptions options_;
  SystemClock clock_;
};

TEST_F(EngineLoopback, AServerThatFailsOftenGivesTheSameAnswersInTheEnd) {
  const contra4::testing::LoopbackServer good(contra4::testing::answer_as_model_server);
  const auto expected = ask(good, 300);
  EXPECT_EQ(expected.size(), 300U);
  const contra4::testing::LoopbackServer bad(
      contra4::testing::with_failures(contra4::testing::answer_as_model_server, 0.3, 7));
  options_.retry.first_delay = milliseconds(1);
  options_.retry.max_delay = milliseconds(5);
  options_.retry.max_tries = 30;
  options_.endpoint.first_pause = milliseconds(1);
  options_.endpoint.max_pause = milliseconds(5);
  EXPECT_EQ(ask(bad, 300), expected);
  EXPECT_GT(bad.num_requests(), 350U);
}

TEST_F(EngineLoopback, ConnectionsAreReused) {
  options_.limiter = {.start = 4, .ceiling = 4};
  const contra4::testing::LoopbackServer server(contra4::testing::answer_as_model_server);
  ask(server, 200);
  EXPECT_LE(server.num_connections(), 4U);
}

TEST_F(EngineLoopback, AStopEndsARunThatWaitsForASilentServer) {
  const contra4::testing::LoopbackServer server([](const contra4::testing::LoopbackRequest&) {
    return contra4::testing::LoopbackReply{.body = "late", .delay = std::chrono::minutes(5)};
  });
  RequestEngine engine({server.base_url()}, options_, std::make_unique<Protocol>(server.base_url()),
                       net::make_curl_transport(), clock_);
  std::stop_source stop;
  std::jthread user([&] {
    while (server.num_requests() == 0) std::this_thread::yield();
    stop.request_stop();
  });
  engine.run([] { return std::optional(GenerateRequest()); },
             [](GenerateOutcome) { ADD_FAILURE() << "reported"; }, stop.get_token());
}

}  // namespace
}  // namespace contra4::clients
