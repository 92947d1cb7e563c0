#include "contra4/pipeline/sampler.h"

#include <map>
#include <set>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "contra4/base/error.h"
#include "contra4/io/file.h"
#include "tests/pipeline/sample_support.h"
#include "tests/support/error_of.h"
#include "tests/support/test_env.h"

namespace contra4::pipeline {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::SizeIs;
using ::testing::StartsWith;

constexpr const char* kWords[] = {"a",   "dog", "barks", "cat", "sleeps",
                                  "red", "car", "river", "old"};

// `count` media of each modality with captions of four words.
Corpus corpus_of(std::size_t count) {
  Corpus corpus;
  for (const Modality modality : kModalities) {
    for (std::size_t i = 0; i < count; ++i) {
      Scene scene;
      scene.modality = modality;
      scene.source = fmt::format("{}_source", to_string(modality));
      scene.id = {std::to_string(i), true};
      const auto m = static_cast<std::size_t>(modality);
      scene.captions = {fmt::format("{} {} {} {}", kWords[i % 9], kWords[(i / 3 + m) % 9],
                                    kWords[(i * 7 + m) % 9], i)};
      scene.captions_were_list = true;
      scene.extra = {{"url", "null"}, {"meta", "{}"}};
      corpus.add(std::move(scene));
    }
  }
  return corpus;
}

class Sampling : public ::testing::Test {
 protected:
  SampleOptions options(
      Strategy strategy, std::int64_t per_combination,
      const std::vector<Combination>& combinations = combinations_of(kModalities)) {
    SampleOptions options{.strategy = strategy};
    options.plans = plan_combinations(combinations, per_combination, {}, {1, 1, 1, 1});
    options.top_k = 5;
    return options;
  }
  std::string sampled(const SampleOptions& options, const Corpus& corpus,
                      const std::string& name = "out.json") {
    outcome_ = sample(options, corpus, tools_, folder_ / name, {}, {});
    return io::read_file(folder_ / name);
  }
  std::vector<Item> items(const std::string& name = "out.json") const {
    return read_tuples(folder_ / name);
  }
  std::int64_t count(const std::string& name) const {
    for (const auto& [key, value] : outcome_.counts) {
      if (key == name) return value;
    }
    return -1;
  }

  testing::TempDir folder_;
  WordVectors vectors_;
  std::unique_ptr<NeighborSearch> search_ = make_portable_neighbor_search(1);
  SampleTools tools_{&vectors_, search_.get()};
  StepOutcome outcome_;
};

std::set<std::string> media_of(const Item& item) {
  std::set<std::string> media;
  for (const Scene& scene : item.scenes) media.insert(scene.source + "/" + scene.id.text);
  return media;
}

TEST_F(Sampling, WritesRowsAsPublished) {
  sampled(options(Strategy::kRandom, 1), corpus_of(1));
  EXPECT_THAT(
      io::read_file(folder_ / "out.json"),
      StartsWith("[\n"
                 R"({"id": "random_0", "selection_type": "random", "q_type": "mc_2", "examples": [)"
                 R"({"source": "audio_source", "id": 0, "caption": ["a a a 0"], "url": null, )"
                 R"("meta": {}}, {"source": "pc_source", "id": 0, "caption": ["a dog dog 0"], )"
                 R"("url": null, "meta": {}}], "modalities": ["audio", "pc"]},)"
                 "\n"));
  EXPECT_EQ(count("tuples"), 11);
}

TEST_F(Sampling, SameSeedSameBytesAnotherSeedOthers) {
  const Corpus corpus = corpus_of(40);
  for (const Strategy strategy : {Strategy::kRandom, Strategy::kSimilarity}) {
    auto asked = options(strategy, 20);
    const std::string first = sampled(asked, corpus);
    EXPECT_EQ(sampled(asked, corpus), first);
    asked.seed = "00123";
    EXPECT_EQ(sampled(asked, corpus), first);
    asked.seed = "124";
    EXPECT_NE(sampled(asked, corpus), first);
  }
}

TEST_F(Sampling, NoSetOfMediaOccursTwice) {
  const Corpus corpus = corpus_of(12);
  for (const Strategy strategy : {Strategy::kRandom, Strategy::kSimilarity}) {
    sampled(options(strategy, 50), corpus);
    const auto tuples = items();
    EXPECT_EQ(tuples.size(), 550U);
    std::set<std::set<std::string>> seen;
    for (const Item& item : tuples) {
      EXPECT_TRUE(seen.insert(media_of(item)).second) << item.id.text;
      EXPECT_EQ(item.q_type, fmt::format("mc_{}", item.scenes.size()));
    }
    EXPECT_GT(count("draws in vain"), 0);
  }
}

TEST_F(Sampling, ShardsOneBehindTheOtherAreTheWhole) {
  const Corpus corpus = corpus_of(8);
  for (const Strategy strategy : {Strategy::kRandom, Strategy::kSimilarity}) {
    for (const bool compat : {false, true}) {
      auto asked = options(strategy, 12);
      asked.compat = compat;
      asked.compat_population = kPublishedTrainingDraw;
      const std::string whole = sampled(asked, corpus, "whole.jsonl");
      for (const int parts : {2, 5}) {
        std::string together;
        for (int i = 1; i <= parts; ++i) {
          asked.shard = {i, parts};
          together += sampled(asked, corpus, fmt::format("part{}.jsonl", i));
        }
        EXPECT_EQ(together, whole) << to_string(strategy) << " " << compat << " " << parts;
      }
      asked.shard = {};
    }
  }
}

TEST_F(Sampling, AShardLooksAtTheModalitiesOfItsCombinationsOnly) {
  auto asked = options(Strategy::kSimilarity, 10);
  asked.shard = {1, 11};
  sampled(asked, corpus_of(10));
  EXPECT_THAT(vectors_.names, ElementsAre("audio captions", "3d captions"));
}

TEST_F(Sampling, RunningOutIsSaidAndLeavesAGapInTheIds) {
  const Corpus corpus = corpus_of(3);  // nine pairs of each combination
  auto asked =
      options(Strategy::kRandom, 20,
              {{Modality::kAudio, Modality::kImage}, {Modality::kAudio, Modality::kVideo}});
  const std::string whole = sampled(asked, corpus, "whole.jsonl");
  const auto tuples = items("whole.jsonl");
  ASSERT_EQ(tuples.size(), 18U);
  EXPECT_EQ(tuples[8].id.text, "random_8");
  EXPECT_EQ(tuples[9].id.text, "random_20");
  EXPECT_EQ(count("tuples asked for"), 40);
  EXPECT_EQ(count("not found"), 22);
  EXPECT_EQ(count("tuples"), 18);
  EXPECT_TRUE(outcome_.is_complete());
  ASSERT_THAT(outcome_.notes, SizeIs(2));
  EXPECT_THAT(outcome_.notes[0], AllOf(HasSubstr("audio+image ran out: 9 of 20 tuples were found"),
                                       HasSubstr("were there already")));
  std::string together;
  std::int64_t missing = 0;
  for (int i = 1; i <= 5; ++i) {
    asked.shard = {i, 5};
    together += sampled(asked, corpus, "part.jsonl");
    missing += std::max<std::int64_t>(0, count("not found"));
  }
  EXPECT_EQ(together, whole);
  EXPECT_EQ(missing, 22);
}

TEST_F(Sampling, AMediumIsInATupleOnceUnlessAllowed) {
  const Corpus corpus = corpus_of(4);
  auto asked = options(Strategy::kRandom, 40, {{Modality::kImage, Modality::kImage}});
  sampled(asked, corpus);
  EXPECT_EQ(items().size(), 6U);  // of four, two at a time
  for (const Item& item : items()) EXPECT_EQ(media_of(item).size(), 2U);
  EXPECT_THAT(outcome_.notes.at(0), HasSubstr("had a medium twice (--allow-same-medium)"));
  asked.allow_same_medium = true;
  sampled(asked, corpus);
  EXPECT_EQ(items().size(), 10U);
}

TEST_F(Sampling, SimilarScenesAreAmongTheNearest) {
  const Corpus corpus = corpus_of(30);
  const auto asked =
      options(Strategy::kSimilarity, 25, {{Modality::kAudio, Modality::kImage, Modality::kVideo}});
  sampled(asked, corpus);
  const auto tuples = items();
  ASSERT_EQ(tuples.size(), 25U);
  for (const Item& item : tuples) {
    for (std::size_t i = 1; i < item.scenes.size(); ++i) {
      std::vector<std::string> texts = {item.scenes[0].captions[0], item.scenes[i].captions[0]};
      for (const Scene& entry : corpus.pool(item.scenes[i].modality).entries) {
        texts.push_back(entry.captions[0]);
      }
      const auto embedded = vectors_.embed("", texts, {}, {});
      const auto score = [&](std::size_t text) {
        double sum = 0;
        for (std::size_t d = 0; d < embedded.dimension; ++d) {
          sum += static_cast<double>(embedded.row(0)[d]) * embedded.row(text)[d];
        }
        return sum;
      };
      int better = 0;
      for (std::size_t t = 2; t < texts.size(); ++t) better += score(t) > score(1) + 1e-6 ? 1 : 0;
      EXPECT_LT(better, 5) << item.id.text;
    }
  }
}

TEST_F(Sampling, CaptionsWithinTheBoundsOnly) {
  const Corpus corpus = corpus_of(40);
  for (const Strategy strategy : {Strategy::kRandom, Strategy::kSimilarity}) {
    auto asked = options(strategy, 15, {{Modality::kAudio, Modality::kImage, Modality::kVideo}});
    asked.top_k = 30;
    asked.max_similarity = 0.7;
    asked.min_similarity = 0.1;
    sampled(asked, corpus);
    const auto tuples = items();
    EXPECT_EQ(tuples.size(), 15U);
    for (const Item& item : tuples) {
      std::vector<std::string> texts;
      for (const Scene& scene : item.scenes) texts.push_back(scene.captions[0]);
      const auto embedded = vectors_.embed("", texts, {}, {});
      for (std::size_t i = 1; i < texts.size(); ++i) {
        for (std::size_t j = 0; j < i; ++j) {
          double sum = 0;
          for (std::size_t d = 0; d < embedded.dimension; ++d) {
            sum += static_cast<double>(embedded.row(i)[d]) * embedded.row(j)[d];
          }
          EXPECT_LE(sum, 0.7 + 1e-6);
          if (j == 0) {
            EXPECT_GE(sum, 0.1 - 1e-6);
          }
        }
      }
    }
  }
}

TEST_F(Sampling, BoundsThatNothingMeetsEndWithAReason) {
  auto asked = options(Strategy::kSimilarity, 15, {{Modality::kAudio, Modality::kImage}});
  asked.min_similarity = 1.0;
  sampled(asked, corpus_of(20));
  EXPECT_EQ(count("tuples"), 0);
  EXPECT_THAT(outcome_.notes.at(0), HasSubstr("had captions not enough alike (--min-similarity)"));
  EXPECT_EQ(io::read_file(folder_ / "out.json"), "[]\n");
}

TEST_F(Sampling, EqualCaptionsStandForAllTheirMedia) {
  Corpus corpus;
  for (int i = 0; i < 12; ++i) {
    for (const Modality modality : {Modality::kAudio, Modality::kImage}) {
      Scene scene;
      scene.modality = modality;
      scene.source = to_string(modality);
      scene.id = {std::to_string(i), false};
      scene.captions = {i < 8 ? "a dog barks" : fmt::format("something else {}", i)};
      corpus.add(std::move(scene));
    }
  }
  auto asked = options(Strategy::kSimilarity, 40, {{Modality::kAudio, Modality::kImage}});
  asked.top_k = 6;
  sampled(asked, corpus);
  std::set<std::string> found;
  for (const Item& item : items()) {
    if (item.scenes[0].captions[0] == "a dog barks") found.insert(item.scenes[1].id.text);
  }
  EXPECT_THAT(found, ElementsAre("0", "1", "2", "3", "4", "5"));
}

TEST_F(Sampling, AModalityWithoutCaptionsIsAnError) {
  Corpus corpus;
  Scene scene;
  scene.source = "s";
  scene.id = {"1", false};
  scene.captions = {"x"};
  corpus.add(scene);
  const Error error = testing::error_of([&] { sampled(options(Strategy::kRandom, 3), corpus); });
  EXPECT_EQ(error.code, ErrorCode::kInvalidArgument);
  EXPECT_THAT(error.message, HasSubstr("no captions of the modality audio, which audio+pc needs"));
  EXPECT_FALSE(std::filesystem::exists(folder_ / "out.json"));
}

TEST_F(Sampling, AStopLeavesNothingBehind) {
  std::stop_source stop;
  stop.request_stop();
  const auto outcome = sample(options(Strategy::kSimilarity, 3), corpus_of(5), tools_,
                              folder_ / "x.json", {}, stop.get_token());
  EXPECT_TRUE(outcome.is_cancelled);
  EXPECT_FALSE(std::filesystem::exists(folder_ / "x.json"));
}

TEST_F(Sampling, ThePublishedWayGivesUpInsteadOfGoingOnForEver) {
  auto asked = options(Strategy::kRandom, 10, {{Modality::kAudio, Modality::kImage}});
  asked.compat = true;
  asked.compat_population = kPublishedTrainingDraw;
  const Error error = testing::error_of([&] { sampled(asked, corpus_of(1)); });
  EXPECT_EQ(error.code, ErrorCode::kInvalidArgument);
  EXPECT_THAT(error.message, HasSubstr("audio+image has no more than 1 tuples"));
}

TEST(PublishedTrainingDraw, NeedsEnoughEntries) {
  EXPECT_EQ(published_training_draw("123", 60'001).at(0), 3431U);
  EXPECT_THAT(testing::error_of([] { published_training_draw("123", 59'999); }).message,
              HasSubstr("draws 60000 entries of the 660K file, which has 59999"));
}

}  // namespace
}  // namespace contra4::pipeline
