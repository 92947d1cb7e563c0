// Readers of corpora: the published layouts and tables of any kind, with what the world puts into
// them.
#include "contra4/pipeline/sources.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "contra4/base/error.h"
#include "tests/pipeline/sample_support.h"
#include "tests/support/error_of.h"
#include "tests/support/test_env.h"

namespace contra4::pipeline {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::ElementsAre;
using testing::error_of;
using ::testing::HasSubstr;
using ::testing::Pair;

class Sources : public ::testing::Test {
 protected:
  // One table as a source of pictures.
  SourceSpec spec_of(const std::string& name, const std::string& text) {
    write_text(folder_ / name, text);
    return {.modality = Modality::kImage,
            .name = "mine",
            .file = folder_ / name,
            .shown_file = name,
            .columns = {},
            .media_folder = {},
            .licence = {},
            .url_file = {},
            .url_member = {}};
  }
  const std::vector<Scene>& load(const SourceSpec& spec, LoadOptions options = {}) {
    corpus_ = Corpus();
    loaded_ = load_source(spec, options, corpus_);
    return corpus_.pool(spec.modality).entries;
  }
  FoundSources read_yaml(const std::string& text, std::string_view split = "test") {
    write_text(folder_ / "sources.yaml", text);
    return read_sources_file(folder_ / "sources.yaml", split);
  }

  testing::TempDir folder_;
  Corpus corpus_;
  LoadedSource loaded_;
};

std::string extra_of(const Scene& scene, std::string_view name) {
  for (const auto& [key, json] : scene.extra) {
    if (key == name) return json;
  }
  return "none";
}

TEST_F(Sources, CsvWithMarkQuotesLineBreaksAndIntegerIds) {
  const auto& entries =
      load(spec_of("a.csv",
                   "\xEF\xBB\xBFid,caption\r\n7,\"a \"\"big\"\"\r\ndog, barking\"\r\n"
                   "007,caf\xC3\xA9\r\n12345678901234567890,x\r\n"));
  ASSERT_EQ(entries.size(), 3U);
  EXPECT_EQ(entries[0].id.text, "7");
  EXPECT_TRUE(entries[0].id.is_integer);
  EXPECT_THAT(entries[0].captions, ElementsAre("a \"big\"\r\ndog, barking"));
  EXPECT_TRUE(entries[0].captions_were_list);
  EXPECT_EQ(entries[1].id.text, "007");
  EXPECT_FALSE(entries[1].id.is_integer);
  EXPECT_FALSE(entries[2].id.is_integer);
  EXPECT_EQ(extra_of(entries[0], "url"), "null");
  EXPECT_EQ(extra_of(entries[0], "meta"), "{}");
}

TEST_F(Sources, JsonAndJsonLinesKeepTheTypeOfIdsAndTakeListsOfCaptions) {
  const std::string rows[] = {R"({"id": 7, "caption": "one"})",
                              R"({"id": "7a", "caption": ["two", " ", null, "three"]})"};
  for (const auto& [name, text] :
       {std::pair<std::string, std::string>{"a.json", "[" + rows[0] + ",\n" + rows[1] + "]"},
        {"a.jsonl", "\xEF\xBB\xBF" + rows[0] + "\n\n" + rows[1] + "\n"},
        {"a.jsonl.gz", rows[0] + "\n" + rows[1]}}) {
    const auto& entries = load(spec_of(name, text));
    ASSERT_EQ(entries.size(), 2U) << name;
    EXPECT_TRUE(entries[0].id.is_integer);
    EXPECT_FALSE(entries[1].id.is_integer);
    EXPECT_THAT(entries[1].captions, ElementsAre("two", "three"));
  }
}

TEST_F(Sources, AMissingColumnIsNamedWithTheNearest) {
  auto spec = spec_of("a.csv", "id,captions\n1,x\n");
  const Error error = error_of([&] { load(spec); });
  EXPECT_EQ(error.code, ErrorCode::kInvalidArgument);
  EXPECT_THAT(error.message, AllOf(HasSubstr("a.csv: no column 'caption' for the source 'mine'"),
                                   HasSubstr("there are id, captions; is 'captions' meant?")));
}

TEST_F(Sources, WrongRowsAreNamedOrLeftOut) {
  const auto spec = spec_of("a.jsonl",
                            "{\"id\": 1, \"caption\": \"fine\"}\n"
                            "{\"caption\": \"x\"}\n"
                            "{\"id\": 1.5, \"caption\": \"x\"}\n"
                            "{\"id\": 2, \"caption\": 7}\n"
                            "{\"id\": \"a\\u0000b\", \"caption\": \"x\"}\n"
                            "not json\n"
                            "[1]\n"
                            "{\"id\": 3}\n"
                            "{\"id\": 4, \"caption\": \"  \"}\n"
                            "{\"id\": 5, \"caption\": \"last\"}\n");
  const Error error = error_of([&] { load(spec); });
  EXPECT_EQ(error.code, ErrorCode::kInvalidArgument);
  EXPECT_THAT(error.message,
              AllOf(HasSubstr("6 wrong rows of the source 'mine' (--skip-bad-rows"),
                    HasSubstr("a.jsonl: row 2: there is no 'id'"),
                    HasSubstr("row 3: 'id' is no text and no integer"),
                    HasSubstr("row 4: 'caption' is no text and no list of texts"),
                    HasSubstr("row 5: 'id' holds a NUL"), HasSubstr("row 6: not valid JSON"),
                    HasSubstr("row 7: not an object")));
  const auto& entries = load(spec, {.skip_bad_rows = true});
  ASSERT_EQ(entries.size(), 2U);
  EXPECT_EQ(loaded_.rows, 10);
  EXPECT_EQ(loaded_.bad_rows, 6);
  EXPECT_EQ(loaded_.without_caption, 2);
  EXPECT_EQ(loaded_.entries, 2);
  EXPECT_EQ(load(spec, {.keep_without_caption = true, .skip_bad_rows = true}).size(), 4U);
}

TEST_F(Sources, AFileThatIsCutIsAnErrorEvenWhereWrongRowsAreLeftOut) {
  for (const auto& [name, text] :
       {std::pair<std::string, std::string>{"a.json", R"([{"id": 1, "caption": "x"}, {"id": 2)"},
        {"b.csv", "id,caption\n1,x\n2,\"never ends"},
        {"c.jsonl", "{\"id\": 1, \"caption\": \"x\"}\n{\"id\": 2, \"capt"}}) {
    const auto spec = spec_of(name, text);
    const Error error = error_of([&] { load(spec, {.skip_bad_rows = true}); });
    EXPECT_EQ(error.code, ErrorCode::kDataLoss) << name;
    EXPECT_THAT(error.message, HasSubstr(name));
  }
  auto missing = spec_of("d.csv", "id,caption\n");
  missing.file = folder_ / "none.csv";
  EXPECT_EQ(error_of([&] { load(missing); }).code, ErrorCode::kNotFound);
  EXPECT_THAT(error_of([&] { load(spec_of("e.csv", "")); }).message, HasSubstr("e.csv"));
}

TEST_F(Sources, ExcludedMediaAreLeftOut) {
  write_text(
      folder_ / "other.jsonl",
      R"({"id": 1, "modalities": ["image", "image"], "examples": [{"source": "mine", "id": "2"},
                {"source": "other", "id": 1}]})"
      "\n");
  ExcludedMedia excluded;
  EXPECT_THROW(excluded.add_file(folder_ / "other.jsonl"), Exception);  // a row is a line
  write_text(
      folder_ / "other.jsonl",
      R"({"id": 1, "modalities": ["image", "image"], "examples": [{"source": "mine", "id": "2"}, {"source": "other", "id": 1}]})");
  excluded.add_file(folder_ / "other.jsonl");
  const auto& entries =
      load(spec_of("a.csv", "id,caption\n1,x\n2,y\n3,z\n"), {.excluded = &excluded});
  ASSERT_EQ(entries.size(), 2U);
  EXPECT_EQ(entries[1].id.text, "3");
  EXPECT_EQ(loaded_.excluded, 1);
}

TEST_F(Sources, ALimitKeepsWhatIsChosenInThatOrder) {
  auto spec = spec_of("a.csv", "id,caption\n1,a\n2,b\n3,c\n4,d\n");
  spec.limit = 2;
  const auto choose = [](const SourceSpec&, std::uint64_t count, std::uint64_t limit) {
    EXPECT_EQ(count, 4U);
    EXPECT_EQ(limit, 2U);
    return std::vector<std::uint64_t>{3, 0};
  };
  const auto& entries = load(spec, {.choose = choose});
  ASSERT_EQ(entries.size(), 2U);
  EXPECT_EQ(entries[0].id.text, "4");
  EXPECT_EQ(entries[1].id.text, "1");
  EXPECT_EQ(loaded_.not_drawn, 2);
  spec.limit = 5;
  EXPECT_EQ(load(spec, {.choose = choose}).size(), 4U);
}

TEST_F(Sources, CocoAnnotationsCarryWhatTheirImageSays) {
  auto spec = spec_of("c.json",
                      R"({"info": {}, "annotations": [{"image_id": 9, "id": 1, "caption": "a cat"},
                          {"image_id": 8, "id": 2, "caption": "a dog\n"}, {"image_id": 9, "id": 3, "caption": "it sleeps"}],
                          "images": [{"id": 9, "coco_url": "http://x/9.jpg", "file_name": "9.jpg"}]})");
  spec.shape = SourceShape::kCoco;
  spec.columns.id = "image_id";
  spec.columns.url = "coco_url";
  spec.columns.media = "file_name";
  spec.media_folder = "pictures";
  const auto& entries = load(spec);
  ASSERT_EQ(entries.size(), 3U);
  EXPECT_EQ(entries[0].id.text, "9");
  EXPECT_TRUE(entries[0].id.is_integer);
  EXPECT_EQ(extra_of(entries[0], "url"), "\"http://x/9.jpg\"");
  EXPECT_EQ(extra_of(entries[0], "media"), "\"pictures/9.jpg\"");
  EXPECT_EQ(extra_of(entries[1], "url"), "null");
  EXPECT_EQ(extra_of(entries[1], "media"), "none");
  EXPECT_EQ(corpus_.num_media(), 2U);

  for (const auto& [text, reason] :
       {std::pair<std::string, std::string>{"{\"images\": []}", "no 'annotations'"},
        {"[]", "'{' expected at the start"},
        {"{\"annotations\": [{\"image_id\": 1, \"caption\": \"x\"}", "is the file cut?"},
        {"{\"annotations\": [7]}", "annotation 1: not an object"},
        {"{\"annotations\": [{\"caption\": \"x\"}]}", "row 1: there is no 'image_id'"}}) {
    write_text(folder_ / "c.json", text);
    EXPECT_THAT(error_of([&] { load(spec); }).message, HasSubstr(reason)) << text;
  }
}

TEST_F(Sources, PublishedCorporaInTheirOrderWithUrlsAndTimes) {
  write_text(folder_ / "audio/audiocaps/test.csv",
             "audiocap_id,youtube_id,start_time,caption\n3,-x_1,30,People talk\n");
  write_text(folder_ / "audio/clotho/clotho_captions_evaluation.csv",
             "file_name,caption_1,caption_2,caption_3,caption_4,caption_5\n"
             "a b.wav,Rain,Rain falls,It rains,Drops,Water\n");
  write_text(folder_ / "3d/pointllm/PointLLM_brief_description_val_3000_GT.json",
             R"([{"object_id": "00f", "conversations": [{"from": "human", "value": "<point>"},
                 {"from": "gpt", "value": "A tire"}]}, {"object_id": "11e", "conversations":
                 [{"value": "A screen"}]}])");
  write_text(folder_ / "3d/objaverse/annotations.json",
             R"({"00f": {"uid": "00f", "embedUrl": "https://s/00f/embed"}, "zz": {}})");
  write_text(folder_ / "video/msrvtt/val.csv",
             "video_id,caption,sen_id,category,url,start time,end time\r\n"
             "video1,a song,0,0,https://y/1,116.03,126.21\r\n");
  write_text(folder_ / "image/mscoco/captions_val2017.json",
             R"({"images": [{"id": 9, "coco_url": "http://x/9"}],
                 "annotations": [{"image_id": 9, "caption": "a cat"}]})");
  const auto found = find_published_sources(folder_.path(), "test");
  EXPECT_THAT(found.missing, ElementsAre("audio/clotho/clotho_captions_validation.csv",
                                         "3d/pointllm/PointLLM_brief_description_val_200_GT.json"));
  std::vector<LoadedSource> loaded;
  for (const SourceSpec& spec : found.specs) loaded.push_back(load_source(spec, {}, corpus_));
  const auto& audio = corpus_.pool(Modality::kAudio).entries;
  ASSERT_EQ(audio.size(), 2U);
  EXPECT_EQ(audio[0].source, "audiocaps");
  EXPECT_TRUE(audio[0].id.is_integer);
  EXPECT_THAT(audio[0].extra, ElementsAre(Pair("url", "\"https://www.youtube.com/watch?v=-x_1\""),
                                          Pair("meta", "{\"start_time\": 30, \"end_time\": 40}")));
  EXPECT_EQ(audio[1].source, "clotho");
  EXPECT_THAT(audio[1].captions, ElementsAre("Rain", "Rain falls", "It rains", "Drops", "Water"));
  const auto& objects = corpus_.pool(Modality::kPointCloud).entries;
  ASSERT_EQ(objects.size(), 2U);
  EXPECT_EQ(extra_of(objects[0], "url"), "\"https://s/00f/embed\"");
  EXPECT_EQ(extra_of(objects[1], "url"), "null");
  EXPECT_THAT(objects[0].captions, ElementsAre("A tire"));
  const auto& videos = corpus_.pool(Modality::kVideo).entries;
  ASSERT_EQ(videos.size(), 1U);
  EXPECT_EQ(videos[0].source, "msrvtt_test");
  EXPECT_THAT(videos[0].extra,
              ElementsAre(Pair("url", "\"https://y/1\""),
                          Pair("meta", "{\"start_time\": 116.03, \"end_time\": 126.21}")));
  EXPECT_EQ(corpus_.pool(Modality::kImage).entries.at(0).source, "coco_val");
  EXPECT_THAT(
      sources_json(loaded),
      AllOf(
          HasSubstr(
              R"({"name": "audiocaps", "modality": "audio", "licence": "see the source", "file": "audio/audiocaps/test.csv", "entries": 1})"),
          HasSubstr("CC BY 4.0")));
}

TEST_F(Sources, TheTrainingSplitHasOtherFilesAndALimit) {
  write_text(folder_ / "3d/pointllm/PointLLM_brief_description_660K_filtered.json", "[]");
  write_text(folder_ / "image/mscoco/captions_train2017.json", "{}");
  const auto found = find_published_sources(folder_.path(), "train");
  ASSERT_EQ(found.specs.size(), 2U);
  EXPECT_EQ(found.specs[0].limit, 60'000);
  EXPECT_EQ(found.specs[1].name, "coco_train");
  EXPECT_THAT(found.missing, ElementsAre("audio/audiocaps/train.csv",
                                         "audio/clotho/clotho_captions_development.csv",
                                         "3d/objaverse/annotations.json",
                                         "video/msrvtt/train*.parquet or video/msrvtt/train*.csv"));
  EXPECT_THAT(error_of([&] { find_published_sources(folder_.path(), "dev"); }).message,
              HasSubstr("splits train and test"));
}

TEST_F(Sources, CountsRecordsOfLists) {
  write_text(folder_ / "a.json", "[{}, {\"a\": [1, 2]},\n7]");
  EXPECT_EQ(count_records(folder_ / "a.json"), 3U);
  write_text(folder_ / "a.csv", "a\n1\n2\n");
  EXPECT_EQ(count_records(folder_ / "a.csv"), 2U);
  write_text(folder_ / "cut.json", "[{}, {\"a\"");
  EXPECT_EQ(error_of([&] { count_records(folder_ / "cut.json"); }).code, ErrorCode::kDataLoss);
}

TEST_F(Sources, AYamlFileDescribesAnyTable) {
  write_text(folder_ / "t/sounds-test.csv",
             "name,c1,c2,page,from,by\na,Rain,,http://p/a,3,cc-by-4.0\nb,Wind,Storm,,,\n");
  write_text(folder_ / "t/one.jsonl", "{\"id\": 1, \"caption\": \"x\"}\n");
  write_text(folder_ / "t/two.jsonl", "{\"id\": 2, \"caption\": \"y\"}\n");
  const auto found = read_yaml(
      "sources:\n"
      "  - modality: sound\n"
      "    name: mine\n"
      "    file: t/sounds-{split}.csv\n"
      "    format: csv\n"
      "    columns:\n"
      "      id: name\n"
      "      captions: [c1, c2]\n"
      "      url: page\n"
      "      media: '{name}.wav'\n"
      "      licence: by\n"
      "      meta: {start: from, end: from+5}\n"
      "    media: media/audio\n"
      "    license: cc0-1.0\n"
      "  - {modality: image, name: pictures, limit: 10, file: {test: [t/one.jsonl, t/two.jsonl]}}\n"
      "  - {modality: video, name: clips, file: {train: t/none.csv}}\n");
  ASSERT_EQ(found.specs.size(), 3U);
  EXPECT_EQ(found.specs[1].limit, 10);
  EXPECT_EQ(found.specs[2].shown_file, "t/two.jsonl");
  ASSERT_EQ(found.missing.size(), 1U);
  EXPECT_THAT(found.missing[0], HasSubstr("source 3 (clips): a file for the split 'test'"));
  const auto& entries = load(found.specs[0]);
  ASSERT_EQ(entries.size(), 2U);
  EXPECT_THAT(entries[0].captions, ElementsAre("Rain"));
  EXPECT_THAT(entries[1].captions, ElementsAre("Wind", "Storm"));
  EXPECT_THAT(
      entries[0].extra,
      ElementsAre(Pair("url", "\"http://p/a\""), Pair("meta", "{\"start\": 3, \"end\": 8}"),
                  Pair("media", "\"media/audio/a.wav\""), Pair("licence", "\"cc-by-4.0\"")));
  EXPECT_THAT(entries[1].extra,
              ElementsAre(Pair("url", "null"), Pair("meta", "{\"start\": null, \"end\": null}"),
                          Pair("media", "\"media/audio/b.wav\"")));
  EXPECT_THAT(sources_json({&loaded_, 1}),
              AllOf(HasSubstr("\"licence\": \"cc0-1.0\""),
                    HasSubstr("\"media_folder\": \"media/audio\""), HasSubstr("\"entries\": 2")));
}

TEST_F(Sources, AYamlFileThatIsWrongSaysWhere) {
  write_text(folder_ / "t.csv", "id,caption\n");
  const std::string good = "{modality: image, name: n, file: t.csv}";
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"{}", "a list 'sources' is wanted"},
      {"sources: []", "a list 'sources' is wanted"},
      {"source: [" + good + "]", "no member 'source'; is 'sources' meant?"},
      {"[7]", "source 1: 'name: value' pairs are wanted"},
      {"[{modality: image, name: n}]", "source 1 (n): there is no 'file'"},
      {"[{name: n, file: t.csv}]", "there is no 'modality'"},
      {"[{modality: smell, name: n, file: t.csv}]", "no modality 'smell'"},
      {"[{modality: image, file: t.csv}]", "source 1: there is no 'name'"},
      {"[{modality: image, name: 7, file: t.csv}]", "'name' is to be a text"},
      {"[{modality: image, name: n, file: [1]}]", "'file' is to be a text or a list of texts"},
      {"[{modality: image, name: n, file: {}}]", "'file' names no split"},
      {"[" + good + ", {modality: image, name: m, file: t.csv, colums: {}}]",
       "source 2 (m): no member 'colums'; is 'columns' meant?"},
      {"[{modality: image, name: n, file: t.csv, columns: {ids: x}}]",
       "columns: no member 'ids'; is 'id' meant?"},
      {"[{modality: image, name: n, file: t.csv, columns: {url: 'x{'}}]",
       "each { needs a column and a }"},
      {"[{modality: image, name: n, file: t.csv, columns: {caption: a, captions: b}}]",
       "'caption' and 'captions' are the same"},
      {"[{modality: image, name: n, file: t.csv, format: tsv}]", "no format 'tsv'"},
      {"[{modality: image, name: n, file: t.csv, format: json}]",
       "format 'json' goes with a name in .json (or .json.gz), not 't.csv'"},
      {"[{modality: image, name: n, file: t.csv, limit: -3}]", "'limit' is a number of entries"},
  };
  for (const auto& [text, reason] : cases) {
    const Error error = error_of([&] { read_yaml(text); });
    EXPECT_EQ(error.code, ErrorCode::kInvalidArgument) << text;
    EXPECT_THAT(error.message, AllOf(HasSubstr("sources.yaml"), HasSubstr(reason))) << text;
  }
  const Error error = error_of([&] { read_yaml("[{modality: image, name: n, file: none.csv}]"); });
  EXPECT_EQ(error.code, ErrorCode::kNotFound);
  EXPECT_THAT(error.message, AllOf(HasSubstr("source 1 (n): no file"), HasSubstr("none.csv")));
}

}  // namespace
}  // namespace contra4::pipeline
