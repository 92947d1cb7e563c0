#include "contra4/clients/server_generator.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/clients/engine_fixtures.h"

namespace contra4::clients {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

class ServerGeneratorTest : public EngineTest {
 protected:
  std::unique_ptr<ServerGenerator> make_model(std::vector<std::string> urls,
                                              const std::string& key = "",
                                              const std::string& api = "") {
    const ServedModel model{.family = "family",
                            .name = "a \"model\"",
                            .api = api,
                            .base_urls = std::move(urls),
                            .key = ApiKey(Secret(key), "SOME_API_KEY")};
    return make_server_generator(model, options_, std::make_unique<FakeProtocol>(script_),
                                 std::make_unique<FakeTransport>(world_), world_.clock);
  }
};

TEST_F(ServerGeneratorTest, DescribesTheModelAndNoSecret) {
  EXPECT_EQ(make_model({"http://localhost:1/v1", "https://me:pass@far/v1?k=v"}, "sk-0123456789")
                ->description_json(),
            R"({"family": "family", "model": "a \"model\"", )"
            R"("endpoints": ["http://localhost:1/v1", "https://far/v1"]})");
  EXPECT_EQ(make_model({"http://0"}, "", "chat")->description_json(),
            R"({"family": "family", "model": "a \"model\"", "api": "chat", )"
            R"("endpoints": ["http://0"]})");
}

TEST_F(ServerGeneratorTest, WarnsOfAKeyInTheOpenWithoutShowingIt) {
  ::testing::internal::CaptureStderr();
  make_model({"http://far.example/v1", "https://far.example/v1"}, "sk-0123456789");
  const std::string words = ::testing::internal::GetCapturedStderr();
  EXPECT_THAT(words, HasSubstr("http://far.example"));
  EXPECT_THAT(words, Not(HasSubstr("https://far.example")));
  EXPECT_THAT(words, Not(HasSubstr("sk-0123456789")));
  ::testing::internal::CaptureStderr();
  make_model({"http://far.example/v1"});
  EXPECT_EQ(::testing::internal::GetCapturedStderr(), "");
}

TEST_F(ServerGeneratorTest, AsksThroughTheEngineAndCounts) {
  script_.usage = {.prompt_tokens = 10, .completion_tokens = 2};
  const auto model = make_model({"http://0"});
  model->run(source(3), sink(), {});
  model->run(source(2), sink(), {});
  EXPECT_EQ(num_with(OutcomeStatus::kAnswered), 5U);
  EXPECT_EQ(model->used().prompt_tokens, 50);
  EXPECT_EQ(model->used().completion_tokens, 10);
}

}  // namespace
}  // namespace contra4::clients
