// contra4 categorize against a server on the loopback.
#include <atomic>
#include <filesystem>
#include <fstream>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "contra4/data/item_reader.h"
#include "contra4/io/file.h"
#include "contra4/io/json.h"
#include "tests/apps/run_in_process.h"
#include "tests/support/loopback_server.h"
#include "tests/support/test_env.h"

namespace contra4::apps {
namespace {

namespace fs = std::filesystem;
using contra4::testing::LoopbackReply;
using contra4::testing::LoopbackRequest;
using contra4::testing::LoopbackServer;
using contra4::testing::TempDir;
using ::testing::HasSubstr;

LoopbackReply says(const std::string& text) {
  return {.body = R"({"choices": [{"index": 0, "finish_reason": "stop", "message": {"role": )"
                  R"("assistant", "content": )" +
                  contra4::testing::json_text(text) + "}}]}"};
}

// Loud questions are about sound, in the words of a schema; the rest is Other.
LoopbackReply sort(const LoopbackRequest& request) {
  const bool is_loud = request.body.find("Question: Which scene is loud?") != std::string::npos;
  return says(is_loud ? R"({"answer": "Audio, Sound & Music"})" : "Other");
}

class Categorize : public ::testing::Test {
 protected:
  Categorize() {
    fs::create_directories(balanced().parent_path());
    std::ofstream file(balanced());
    for (int i = 0; i < 4; ++i) {
      file
          << (i == 0 ? "[" : ",") << R"({"id": "random_)" << i
          << R"(", "selection_type": "random", "q_type": "mc_2", "examples": [{"source": "clotho", )"
             R"("id": "a", "caption": "a"}, {"source": "coco_val", "id": 7, "caption": "b"}], )"
             R"("modalities": ["audio", "image"], "questions": ["Which scene is )"
          << (i % 2 == 0 ? "loud?" : "odd?") << R"("], "answers": ["Scene B"], "category": )"
          << R"("Other"})";
    }
    file << "]";
  }
  fs::path balanced() const {
    return folder_ / "filters_test" / "unanimous_permute_random_test_balanced.json";
  }
  fs::path categorized() const {
    return folder_ / "filters_test" / "unanimous_permute_filter_random_test_balanced.json";
  }
  Outcome categorize(std::vector<std::string> more) const {
    std::vector<std::string> arguments = {"categorize", "--output-dir", folder_.path().string(),
                                          "--max-tries", "1"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return run(arguments);
  }

  TempDir folder_;
};

TEST_F(Categorize, WritesTheFileOfThePublishedScript) {
  const LoopbackServer server(sort);
  const auto outcome = categorize({"--strategy", "random", "--split", "test", "--model_id", "x",
                                   "--base-url", server.base_url()});
  EXPECT_EQ(outcome.code, kExitDone) << outcome.err;
  const auto items = data::load_dataset(categorized()).items;
  ASSERT_EQ(items.size(), 4U);
  EXPECT_EQ(items[0].category, "Audio, Sound & Music");
  EXPECT_EQ(items[1].category, "Other");
  EXPECT_EQ(server.num_requests(), 4U);
  EXPECT_THAT(server.requests()[0].body, HasSubstr("json_schema"));

  const auto again = categorize({"--model_id", "x", "--base-url", server.base_url(), "--json"});
  EXPECT_EQ(again.code, kExitDone) << again.err;
  EXPECT_THAT(again.err, HasSubstr("done before"));
  EXPECT_EQ(server.num_requests(), 4U);
  const auto json = io::parse_json(again.out, "out").value();
  EXPECT_EQ(json.find_path("counts", "Audio, Sound & Music")->find_integer(), 2);
}

TEST_F(Categorize, FailuresAreAskedAgainByTheSameCommand) {
  std::atomic<bool> is_broken = true;
  const LoopbackServer server([&](const LoopbackRequest& request) -> LoopbackReply {
    if (is_broken && request.body.find("odd?") != std::string::npos) return {.status = 400};
    return sort(request);
  });
  const std::vector<std::string> flags = {"--model", "openai/x", "--base-url", server.base_url()};
  const auto first = categorize(flags);
  EXPECT_EQ(first.code, kExitSomeFailed) << first.err;
  EXPECT_THAT(first.err, HasSubstr("random_1, random_3"));
  EXPECT_FALSE(fs::exists(categorized()));
  is_broken = false;
  const auto before = server.num_requests();
  const auto second = categorize(flags);
  EXPECT_EQ(second.code, kExitDone) << second.err;
  EXPECT_EQ(server.num_requests() - before, 2U);
}

TEST_F(Categorize, ACheckShowsTheAgreement) {
  const LoopbackServer server(sort);
  const std::vector<std::string> flags = {"--check",  balanced().string(), "--model",
                                          "openai/x", "--base-url",        server.base_url()};
  const auto table = categorize(flags);
  EXPECT_EQ(table.code, kExitDone) << table.err;
  EXPECT_THAT(table.out, HasSubstr("2 of 4 agree: 50.0%"));
  EXPECT_THAT(table.out, HasSubstr("recall %"));
  EXPECT_FALSE(fs::exists(categorized()));
  auto as_json = flags;
  as_json.emplace_back("--json");
  const auto json = io::parse_json(categorize(as_json).out, "out").value();
  EXPECT_EQ(
      json.find_path("categories", "Other", "chosen_as", "Audio, Sound & Music")->find_integer(),
      2);
}

TEST_F(Categorize, ADryRunShowsTheFirstRequest) {
  const auto outcome =
      categorize({"--model", "openai/x", "--base-url", "http://127.0.0.1:9/v1", "--dry-run"});
  EXPECT_EQ(outcome.code, kExitDone) << outcome.err;
  EXPECT_THAT(outcome.out, HasSubstr("4 requests"));
  EXPECT_THAT(outcome.out, HasSubstr("Question: Which scene is loud?"));
}

TEST_F(Categorize, SaysWhatIsMissingOrContradicts) {
  const std::vector<std::string> model = {"--model", "openai/x", "--base-url",
                                          "http://127.0.0.1:9/v1"};
  const auto with_model = [&](std::vector<std::string> more) {
    more.insert(more.end(), model.begin(), model.end());
    return categorize(more);
  };
  EXPECT_THAT(with_model({"--split", "train"}).err, HasSubstr("contra4 balance"));
  EXPECT_EQ(categorize({}).code, kExitUsage);
  EXPECT_EQ(categorize({"--model", "embed/minilm", "--free-text"}).code, kExitUsage);
  EXPECT_EQ(with_model({"--free-text", "--taxonomy", "t.yaml"}).code, kExitUsage);
  EXPECT_THAT(with_model({"--taxonomy", "/nowhere.yaml"}).err, HasSubstr("/nowhere.yaml"));
  EXPECT_THAT(with_model({"--check", "/nowhere.json"}).err, HasSubstr("/nowhere.json"));
}

}  // namespace
}  // namespace contra4::apps
