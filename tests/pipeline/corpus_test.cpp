#include "contra4/pipeline/corpus.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "contra4/base/error.h"
#include "tests/pipeline/sample_support.h"
#include "tests/support/error_of.h"
#include "tests/support/test_env.h"

namespace contra4::pipeline {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

Scene scene_of(Modality modality, const std::string& source, const std::string& id) {
  Scene scene;
  scene.modality = modality;
  scene.source = source;
  scene.id = {id, false};
  scene.captions = {"x"};
  return scene;
}

TEST(Corpus, CountsAMediumOnceHoweverOftenItIsCaptioned) {
  Corpus corpus;
  corpus.add(scene_of(Modality::kImage, "coco", "1"));
  corpus.add(scene_of(Modality::kImage, "coco", "2"));
  corpus.add(scene_of(Modality::kImage, "coco", "1"));
  corpus.add(scene_of(Modality::kAudio, "coco", "1"));  // the sound of the same medium
  EXPECT_EQ(corpus.size(), 4U);
  EXPECT_EQ(corpus.num_media(), 2U);
  EXPECT_EQ(corpus.num_media(Modality::kImage), 2U);
  EXPECT_EQ(corpus.num_media(Modality::kVideo), 0U);
  EXPECT_THAT(corpus.pool(Modality::kImage).media, ElementsAre(0, 1, 0));
  EXPECT_THAT(corpus.pool(Modality::kAudio).media, ElementsAre(0));
}

TEST(ExcludedMedia, AreReadFromAnySchema) {
  const testing::TempDir folder;
  const std::string scenes =
      R"("examples": [{"source": "s", "id": 7}, {"source": "t", "id": "a"}], "modalities": ["image", "audio"])";
  write_text(folder / "a.jsonl", R"({"id": 1, "question": "Q?", "gt_answer": "Scene A", )" +
                                     scenes + "}\n" + R"({"id": 2, )" + scenes + "}\n");
  write_text(folder / "b.json",
             R"([{"id": 1, "questions": ["Q?"], "answers": ["Scene A"], "modalities": ["pc"],
                  "examples": [{"source": "u", "id": "x"}]}])");
  ExcludedMedia media;
  media.add_file(folder / "a.jsonl");
  media.add_file(folder / "b.json");
  EXPECT_EQ(media.size(), 3U);
  EXPECT_TRUE(media.contains("s", "7"));
  EXPECT_TRUE(media.contains("u", "x"));
  EXPECT_FALSE(media.contains("s", "a"));
}

TEST(ExcludedMedia, AFileThatCannotBeReadWholeIsAnError) {
  const testing::TempDir folder;
  write_text(folder / "a.jsonl", R"({"id": 1, "question": "Q?"})");
  ExcludedMedia media;
  const Error error = testing::error_of([&] { media.add_file(folder / "a.jsonl"); });
  EXPECT_THAT(error.message, HasSubstr("a.jsonl: row 1 (id 1): there is no 'examples'"));
  EXPECT_EQ(testing::error_of([&] { media.add_file(folder / "none.json"); }).code,
            ErrorCode::kNotFound);
}

}  // namespace
}  // namespace contra4::pipeline
