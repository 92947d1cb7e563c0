// contra4 pipeline over the captions of data/mini, with a server on the loopback.
#include <algorithm>
#include <atomic>
#include <filesystem>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>
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

using contra4::testing::answer_as_model_server;
using contra4::testing::LoopbackReply;
using contra4::testing::LoopbackRequest;
using contra4::testing::LoopbackServer;
using contra4::testing::mini_dir;
using contra4::testing::TempDir;
using ::testing::HasSubstr;

class Pipeline : public ::testing::Test {
 protected:
  Pipeline() : server_(answer_as_model_server) {}

  fs::path output() const { return folder_ / "made"; }
  std::string config_text(const std::string& generate = {}, const std::string& rest = {}) const {
    const std::string server = fmt::format("base-url: '{}', max-tries: 3", server_.base_url());
    return fmt::format(
        "output-dir: '{}'\n"
        "strategies: [random]\n"
        "sample: {{sources: '{}', n-samples: 8}}\n"
        "generate: {{model-id: openai/writer, {}{}}}\n"
        "verify: {{model: [one=openai/one], {}}}\n"
        "balance: {{}}\n"
        "categorize: false\n"
        "{}",
        output().string(), (mini_dir() / "sources.yaml").string(), server, generate, server, rest);
  }
  Outcome pipeline(const std::string& config, std::vector<std::string> more = {},
                   std::stop_token stop = {}) const {
    const fs::path file = folder_ / "config.yaml";
    io::write_file_atomically(file, config);
    std::vector<std::string> arguments = {"pipeline", file.string()};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return run(arguments, {}, std::move(stop));
  }
  // Every file but journals and locks.
  std::map<std::string, std::string> files() const {
    std::map<std::string, std::string> files;
    for (const auto& entry : fs::recursive_directory_iterator(output())) {
      const std::string name = fs::relative(entry.path(), output()).string();
      if (!entry.is_regular_file() || name.ends_with(".lock")) continue;
      if (!name.ends_with(".journal.jsonl")) files[name] = io::read_file(entry.path());
    }
    return files;
  }

  LoopbackServer server_;
  TempDir folder_;
};

TEST_F(Pipeline, MakesAFolderThatExplainsItself) {
  const auto outcome = pipeline(config_text());
  ASSERT_EQ(outcome.code, kExitDone) << outcome.err;
  const auto made = files();
  for (const char* name :
       {"step1/tuples_random_test.json", "step2_3/random_test.json", "step4/one_random_test.json",
        "filters_test/unanimous_permute_random_test.json",
        "filters_test/unanimous_permute_random_test_balanced.json", "dataset/README.md",
        "dataset/funnel.svg", "dataset/croissant.json", "dataset/manifest.json",
        "dataset/test.json", "dataset/test.jsonl"}) {
    EXPECT_TRUE(made.contains(name)) << name;
  }
  EXPECT_THAT(outcome.out, HasSubstr("sample"));
  EXPECT_THAT(outcome.out, HasSubstr("dataset"));
  const auto dataset =
      data::load_dataset(output() / "dataset" / "test.json", {.answer = true, .captions = true});
  EXPECT_FALSE(dataset.items.empty());
  for (const Item& item : dataset.items) EXPECT_TRUE(item.extra.empty()) << item.id.text;
}

TEST_F(Pipeline, ASecondRunDoesNothing) {
  ASSERT_EQ(pipeline(config_text()).code, kExitDone);
  const auto before = files();
  const auto asked = server_.num_requests();
  const auto second = pipeline(config_text());
  EXPECT_EQ(second.code, kExitDone) << second.err;
  EXPECT_EQ(server_.num_requests(), asked);
  EXPECT_EQ(files(), before);
  EXPECT_THAT(second.err, HasSubstr("done before"));
}

TEST_F(Pipeline, AChangedSettingRedoesWhatDependsOnItAndNothingElse) {
  ASSERT_EQ(pipeline(config_text()).code, kExitDone);
  const auto before = files();
  const auto asked = server_.num_requests();
  const auto changed = pipeline(config_text(", max-words: 3"));
  ASSERT_TRUE(changed.code == kExitDone || changed.code == kExitFailed) << changed.err;
  EXPECT_GT(server_.num_requests(), asked);
  const auto after = files();
  EXPECT_EQ(after.at("step1/tuples_random_test.json"), before.at("step1/tuples_random_test.json"));
  EXPECT_NE(after.at("step2_3/random_test.manifest.json"),
            before.at("step2_3/random_test.manifest.json"));
  // Going back finds the replies of then.
  const auto asked_twice = server_.num_requests();
  ASSERT_EQ(pipeline(config_text()).code, kExitDone);
  EXPECT_EQ(server_.num_requests(), asked_twice);
  EXPECT_EQ(files(), before);
}

TEST_F(Pipeline, AnInterruptedRunGoesOnToTheSameBytes) {
  ASSERT_EQ(pipeline(config_text()).code, kExitDone);
  const auto expected = files();
  const auto asked = server_.num_requests();
  fs::remove_all(output());

  std::size_t interruptions = 0;
  std::atomic<std::size_t> received = 0;
  std::stop_source* current = nullptr;
  server_.set_handler([&](const LoopbackRequest& request) {
    if (++received % 37 == 0 && current != nullptr) current->request_stop();
    return answer_as_model_server(request);
  });
  while (true) {
    ASSERT_LT(interruptions, 100U);
    std::stop_source stop;
    current = &stop;
    const auto outcome = pipeline(config_text(), {}, stop.get_token());
    if (outcome.code == kExitDone) break;
    EXPECT_THAT(outcome.err, HasSubstr("interrupted"));
    ++interruptions;
  }
  current = nullptr;
  EXPECT_GT(interruptions, 0U);
  EXPECT_EQ(files(), expected);
  EXPECT_LT(server_.num_requests(), 2 * asked + interruptions * 64) << "journaled replies are kept";
}

TEST_F(Pipeline, RequestsWithoutReplyEndItUnfinished) {
  server_.set_handler([](const LoopbackRequest& request) {
    LoopbackReply reply = answer_as_model_server(request);
    if (request.body.find("\"one\"") != std::string::npos && request.body.size() % 5 == 0) {
      reply.status = 400;
      reply.body = R"({"error": {"message": "no", "type": "invalid_request_error"}})";
    }
    return reply;
  });
  const auto failed = pipeline(config_text());
  EXPECT_EQ(failed.code, kExitSomeFailed) << failed.err;
  EXPECT_FALSE(fs::exists(output() / "dataset"));
  server_.set_handler(answer_as_model_server);
  EXPECT_EQ(pipeline(config_text()).code, kExitDone);
}

TEST_F(Pipeline, MistakesShowBeforeAnythingRuns) {
  const auto expect_usage = [&](const std::string& config, const std::string& words) {
    const auto outcome = pipeline(config);
    EXPECT_EQ(outcome.code, kExitUsage) << config;
    EXPECT_THAT(outcome.err, HasSubstr(words));
    EXPECT_FALSE(fs::exists(output())) << config;
  };
  expect_usage(config_text({}, "sampel: {}\n"), "is sample meant?");
  expect_usage(config_text({}, "filter: {modles: one}\n"), "models");
  expect_usage(config_text({}, "filter: {split: val}\n"), "the whole pipeline has one");
  expect_usage(config_text({}, "seed: -1\n"), "'seed' is a whole number");
  expect_usage("strategies: [alphabetical]\n", "no strategy 'alphabetical'");
  expect_usage("strategies: [random, random]\n", "each strategy once");
  expect_usage("verify: false\n", "only categorize can");
  expect_usage("- a\n- b\n", "name: value");
}

TEST_F(Pipeline, MergedShardsAreTheFilesOfAWholeRun) {
  const auto step = [&](std::vector<std::string> arguments, const std::string& folder,
                        const std::string& shard) {
    arguments.insert(arguments.end(), {"--output-dir", (folder_ / folder).string(), "--strategy",
                                       "random", "--shard", shard});
    const auto outcome = run(arguments);
    EXPECT_EQ(outcome.code, kExitDone) << arguments[0] << " " << shard << ": " << outcome.err;
  };
  const std::vector<std::pair<std::vector<std::string>, std::string>> steps = {
      {{"sample", "--sources", (mini_dir() / "sources.yaml").string(), "--n-samples", "7"},
       "step1/tuples_random_test"},
      {{"generate", "--model-id", "rules"}, "step2_3/random_test"},
      {{"verify", "--model", "bm25=lexical/bm25"}, "step4/bm25_random_test"}};
  for (const auto& [command, name] : steps) {
    step(command, "whole", "1/1");
    std::vector<std::string> merge = {"dataset", "merge"};
    for (const char* shard : {"2", "3", "1"}) {
      step(command, "parts", std::string(shard) + "/3");
      merge.push_back((folder_ / "parts" / (name + ".shard-" + shard + "-of-3.json")).string());
    }
    merge.push_back((folder_ / "parts" / (name + ".json")).string());
    const auto merged = run(merge);
    ASSERT_EQ(merged.code, kExitDone) << merged.err;
    EXPECT_EQ(io::read_file(folder_ / "parts" / (name + ".json")),
              io::read_file(folder_ / "whole" / (name + ".json")))
        << name;
  }
}

TEST_F(Pipeline, ADryRunPrintsTheCommandsOfTheSteps) {
  const auto outcome = pipeline(config_text(), {"--dry-run"});
  EXPECT_EQ(outcome.code, kExitDone) << outcome.err;
  EXPECT_THAT(outcome.out, HasSubstr("contra4 sample --strategy=random --split=test"));
  EXPECT_THAT(outcome.out, HasSubstr("contra4 filter --strategies=random"));
  EXPECT_THAT(outcome.out, HasSubstr("--models=one"));
  EXPECT_FALSE(fs::exists(output()));
  EXPECT_EQ(server_.num_requests(), 0U);
}

TEST_F(Pipeline, FilterTakesTheModelsOfVerifyHoweverTheyAreSpelled) {
  std::string config = config_text();
  const std::string plain = "verify: {model: [one=openai/one]";
  ASSERT_NE(config.find(plain), std::string::npos);
  config.replace(config.find(plain), plain.size(), "verify: {model_id: openai/org/two");
  const auto outcome = pipeline(config, {"--dry-run"});
  EXPECT_EQ(outcome.code, kExitDone) << outcome.err;
  EXPECT_THAT(outcome.out, HasSubstr("--models=two"));
}

TEST_F(Pipeline, EndsAfterAStep) {
  const auto outcome = pipeline(config_text(), {"--until", "sample"});
  EXPECT_EQ(outcome.code, kExitDone) << outcome.err;
  EXPECT_TRUE(fs::exists(output() / "step1" / "tuples_random_test.json"));
  EXPECT_FALSE(fs::exists(output() / "step2_3"));
  EXPECT_EQ(server_.num_requests(), 0U);
}

}  // namespace
}  // namespace contra4::apps
