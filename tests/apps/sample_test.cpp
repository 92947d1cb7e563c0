// The command `contra4 sample` over small corpora.
#include <filesystem>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "contra4/data/item_reader.h"
#include "contra4/io/byte_sink.h"
#include "contra4/io/file.h"
#include "contra4/io/json.h"
#include "tests/apps/run_in_process.h"
#include "tests/support/test_env.h"

namespace contra4::apps {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

void write_text(const fs::path& path, std::string_view text) {
  fs::create_directories(path.parent_path());
  const auto sink = io::create_bytes(path);
  sink->write(text);
  sink->commit();
}

class Sample : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string sounds = "id,caption\n";
    std::string pictures = "id,caption\n";
    for (int i = 0; i < 20; ++i) {
      sounds += std::to_string(i) + ",sound " + std::to_string(i) + "\n";
      pictures += std::to_string(i) + ",picture " + std::to_string(i) + "\n";
    }
    write_text(folder_ / "sounds.csv", sounds);
    write_text(folder_ / "pictures.csv", pictures);
    write_text(folder_ / "sources.yaml",
               "sources:\n"
               "  - {modality: audio, name: s, file: sounds.csv, licence: cc0-1.0}\n"
               "  - {modality: image, name: p, file: pictures.csv, media: pictures}\n");
  }

  Outcome sample(std::vector<std::string> flags) {
    std::vector<std::string> arguments = {"sample", "--sources",
                                          (folder_ / "sources.yaml").string(), "--output-dir",
                                          (folder_ / "data").string()};
    arguments.insert(arguments.end(), flags.begin(), flags.end());
    return run(arguments);
  }
  std::string tuples(const std::string& name = "tuples_random_test.json") const {
    return io::read_file(folder_ / "data" / "step1" / name);
  }

  testing::TempDir folder_;
};

TEST_F(Sample, WritesTuplesAndAManifestAndIsDoneTheSecondTime) {
  const Outcome first = sample({"--n_samples", "7", "--seed", "5"});
  ASSERT_EQ(first.code, kExitDone) << first.err;
  EXPECT_THAT(first.err, AllOf(HasSubstr("tuples"), HasSubstr("written")));
  const auto reader = data::open_items(folder_ / "data" / "step1" / "tuples_random_test.json");
  int count = 0;
  while (const auto item = reader->next()) {
    ASSERT_TRUE(item->has_value());
    EXPECT_EQ((*item)->id.text, "random_" + std::to_string(count++));
  }
  EXPECT_EQ(count, 7);
  const std::string manifest = tuples("tuples_random_test.manifest.json");
  EXPECT_THAT(manifest,
              AllOf(HasSubstr("\"licence\": \"cc0-1.0\""),
                    HasSubstr("\"media_folder\": \"pictures\""), HasSubstr("\"entries\": 20"),
                    HasSubstr("\"seed\": \"5\""), Not(HasSubstr(folder_.path().string()))));
  const std::string before = tuples();
  const Outcome second = sample({"--n-samples", "7", "--seed", "5"});
  EXPECT_EQ(second.code, kExitDone);
  EXPECT_THAT(second.err, HasSubstr("done before"));
  EXPECT_EQ(tuples(), before);
  const Outcome third = sample({"--n-samples", "8", "--seed", "5"});
  EXPECT_EQ(third.code, kExitFailed);
  EXPECT_THAT(third.err, HasSubstr("audio+image"));
  EXPECT_EQ(sample({"--n-samples", "8", "--seed", "5", "--overwrite"}).code, kExitDone);
  EXPECT_NE(tuples(), before);
}

TEST_F(Sample, AnotherDataSetsMediaAreNeverDrawn) {
  std::string rows;
  for (int i = 0; i < 20; i += 2) {
    rows += R"({"id": )" + std::to_string(i) +
            R"(, "modalities": ["audio", "image"], "examples": [{"source": "s", "id": )" +
            std::to_string(i) + R"(}, {"source": "p", "id": ")" + std::to_string(i) + "\"}]}\n";
  }
  write_text(folder_ / "test.jsonl", rows);
  const Outcome outcome =
      sample({"--n-samples", "60", "--exclude", (folder_ / "test.jsonl").string(), "--json"});
  ASSERT_EQ(outcome.code, kExitDone) << outcome.err;
  EXPECT_THAT(outcome.out, AllOf(HasSubstr("\"excluded\": 20"), HasSubstr("\"tuples\": 60")));
  const auto reader = data::open_items(folder_ / "data" / "step1" / "tuples_random_test.json");
  while (const auto item = reader->next()) {
    for (const Scene& scene : (*item)->scenes) {
      EXPECT_EQ(std::stoi(scene.id.text) % 2, 1) << (*item)->id.text;
    }
  }
}

TEST_F(Sample, ShardsAreTheWhole) {
  const std::vector<std::string> flags = {"--n-samples", "9", "--format", "jsonl"};
  ASSERT_EQ(sample(flags).code, kExitDone);
  std::string together;
  for (const char* shard : {"1/3", "2/3", "3/3"}) {
    auto with = flags;
    with.insert(with.end(), {"--shard", shard});
    const Outcome outcome = sample(with);
    ASSERT_EQ(outcome.code, kExitDone) << outcome.err;
    together += tuples(std::string("tuples_random_test.shard-") + shard[0] + "-of-3.jsonl");
  }
  EXPECT_EQ(together, tuples("tuples_random_test.jsonl"));
}

TEST_F(Sample, ADryRunSaysWhatWouldBeDone) {
  const Outcome outcome = sample({"--dry-run", "--total", "1500", "--combinations",
                                  "audio+image,image+image", "--modality-weights", "image=2"});
  EXPECT_EQ(outcome.code, kExitDone) << outcome.err;
  EXPECT_THAT(outcome.out,
              AllOf(HasSubstr("sounds.csv"), HasSubstr("audio+image                  500 tuples"),
                    HasSubstr("image+image                1,000 tuples"),
                    HasSubstr("tuples_random_test.json (1,500 tuples)")));
  EXPECT_FALSE(fs::exists(folder_ / "data"));
}

TEST_F(Sample, WrongUseIsSaid) {
  const std::vector<std::pair<std::vector<std::string>, std::string>> cases = {
      {{"--seed", "x"}, "--seed: 'x' is no seed"},
      {{"--modalities", "smell"}, "no such modality"},
      {{"--combinations", "image"}, "2 to 4 modalities joined by +"},
      {{"--combinations", "audio+image,image+audio"}, "names audio+image twice"},
      {{"--combinations", "audio+image", "--modalities", "audio,image"}, "says all that"},
      {{"--modality-weights", "image"}, "MODALITY=NUMBER is wanted"},
      {{"--modality-weights", "image=-1"}, "MODALITY=NUMBER is wanted"},
      {{"--max-similarity", "0.2", "--min-similarity", "0.3"}, "no caption can be both"},
      {{"--compat"}, "knows no --sources"},
      {{"--no-same-medium", "--allow-same-medium"}, "contradict"},
      {{"--n-samples", "0"}, "whole number"}};
  for (const auto& [flags, reason] : cases) {
    const Outcome outcome = sample(flags);
    EXPECT_EQ(outcome.code, kExitUsage) << reason;
    EXPECT_THAT(outcome.err, HasSubstr(reason));
  }
  const Outcome outcome = sample({"--modalities", "audio,video"});
  EXPECT_EQ(outcome.code, kExitFailed);
  EXPECT_THAT(outcome.err, HasSubstr("no captions of the modality video, which audio+video needs"));
  EXPECT_THAT(sample({"--modalities", "audio"}).err, HasSubstr("not enough for a tuple"));
}

TEST_F(Sample, CompatSaysThatItNeedsTheLargeFile) {
  const fs::path raw = folder_ / "raw";
  write_text(raw / "audio/audiocaps/test.csv",
             "audiocap_id,youtube_id,start_time,caption\n3,x,0,c\n");
  const std::vector<std::string> base = {
      "sample",      "--raw-data", raw.string(), "--output-dir", (folder_ / "data").string(),
      "--n_samples", "1"};
  auto compat = base;
  compat.emplace_back("--compat");
  const Outcome without_modality = run(compat);
  EXPECT_EQ(without_modality.code, kExitFailed);
  EXPECT_THAT(without_modality.err, HasSubstr("no captions of the modality pc"));
  write_text(raw / "3d/pointllm/PointLLM_brief_description_val_3000_GT.json",
             R"([{"object_id": "o", "conversations": [{"value": "c"}]}])");
  write_text(raw / "image/mscoco/captions_val2017.json",
             R"({"images": [], "annotations": [{"image_id": 1, "caption": "c"}]})");
  write_text(raw / "video/msrvtt/val.csv", "video_id,caption,url,start time,end time\nv,c,u,1,2\n");
  const Outcome without_file = run(compat);
  EXPECT_EQ(without_file.code, kExitFailed);
  EXPECT_THAT(without_file.err, AllOf(HasSubstr("--compat needs"),
                                      HasSubstr("PointLLM_brief_description_660K_filtered.json"),
                                      HasSubstr("60,000")));
  const Outcome fixed = run(base);
  EXPECT_EQ(fixed.code, kExitDone) << fixed.err;
  EXPECT_THAT(fixed.err, HasSubstr("left out, because it is not there: audio/clotho"));
}

TEST_F(Sample, NothingToReadNamesWhatIsWanted) {
  const Outcome outcome = run({"sample", "--raw-data", (folder_ / "none").string()});
  EXPECT_EQ(outcome.code, kExitFailed);
  EXPECT_THAT(outcome.err, AllOf(HasSubstr("no captions for the split test below"),
                                 HasSubstr("audio/audiocaps/test.csv")));
}

}  // namespace
}  // namespace contra4::apps
