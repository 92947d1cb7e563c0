#include "contra4/pipeline/categorize.h"

#include <cmath>
#include <fstream>
#include <functional>
#include <map>
#include <set>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "contra4/base/error.h"
#include "contra4/data/item_reader.h"
#include "contra4/io/file.h"
#include "contra4/io/json.h"
#include "tests/support/error_of.h"
#include "tests/support/test_env.h"

namespace contra4::pipeline {
namespace {

namespace fs = std::filesystem;
using ::testing::Contains;
using ::testing::ElementsAre;
using testing::error_of;
using ::testing::HasSubstr;
using ::testing::Pair;

constexpr std::string_view kMotion = "Motion & Physical Activity";

std::string row(int id, const std::string& question) {
  return R"({"id": "random_)" + std::to_string(id) +
         R"(", "selection_type": "random", "q_type": "mc_2", "examples": [{"source": "clotho", "id": "a", )"
         R"("caption": "a dog", "meta": {"x": 1}}, {"source": "coco_val", "id": 7, "caption": "a cat"}], )"
         R"("modalities": ["audio", "image"], "questions": [")" +
         question + R"("], "answers": ["Scene B"], "permutations": [[0, 1], [1, 0]]})";
}

// Answers as its function says, given the question's number and how often it was asked before.
class Script final : public TextGenerator {
 public:
  using Reply = std::function<GenerateOutcome(const GenerateRequest& request, int times)>;
  explicit Script(Reply reply, bool backwards = false)
      : reply_(std::move(reply)), backwards_(backwards) {}

  void run(const GenerateSource& source, const GenerateSink& sink, std::stop_token stop) override {
    std::vector<GenerateRequest> requests;
    while (!stop.stop_requested()) {
      auto request = source();
      if (!request) break;
      requests.push_back(std::move(*request));
    }
    if (backwards_) std::reverse(requests.begin(), requests.end());
    for (const GenerateRequest& request : requests) {
      if (stop.stop_requested()) return;
      asked.push_back(request);
      GenerateOutcome outcome = reply_(request, times_[request.name]++);
      outcome.ticket = request.ticket;
      sink(std::move(outcome));
    }
  }
  std::string description_json() const override { return R"({"model": "script"})"; }

  std::vector<GenerateRequest> asked;

 private:
  Reply reply_;
  bool backwards_;
  std::map<std::string, int> times_;
};

GenerateOutcome says(std::string text) {
  GenerateOutcome outcome;
  outcome.status = OutcomeStatus::kAnswered;
  outcome.text = std::move(text);
  return outcome;
}

GenerateOutcome fails() {
  GenerateOutcome outcome;
  outcome.status = OutcomeStatus::kFailed;
  outcome.error = {ErrorCode::kUnavailable, "HTTP 503"};
  return outcome;
}

struct Fixture {
  explicit Fixture(int count = 4) : num_rows(count) {
    std::ofstream file(input);
    for (int i = 0; i < count; ++i) {
      file << (i == 0 ? "[" : ",\n") << row(i, "Which scene is number " + std::to_string(i) + "?");
    }
    file << "]\n";
  }

  Stage open(WhenChanged when = WhenChanged::kRefuse) {
    return Stage::open({output},
                       {.stage = "categorize",
                        .settings_json = settings_json(options, R"({"model": "script"})"),
                        .inputs = {{"balanced", input}}},
                       when);
  }
  StepOutcome categorize(TextGenerator& generator, std::stop_token stop = {}) {
    Stage stage = open();
    return categorize_by_model(stage, input, generator, options, {}, std::move(stop));
  }
  std::vector<std::string> categories() const {
    std::vector<std::string> categories;
    for (const Item& item : data::load_dataset(output).items) categories.push_back(item.category);
    return categories;
  }

  testing::TempDir folder;
  fs::path input = folder / "balanced.json";
  fs::path output = folder / "categorized.json";
  CategorizeOptions options;
  int num_rows;
};

TEST(CategorizeByModel, WritesTheSameRowsWithTheirCategory) {
  Fixture fixture;
  Script script([](const GenerateRequest& request, int) {
    return says(request.name == "random_1" ? "Other"
                                           : R"({"answer": "Motion & Physical Activity"})");
  });
  const StepOutcome outcome = fixture.categorize(script);
  EXPECT_TRUE(outcome.is_complete());
  EXPECT_THAT(fixture.categories(), ElementsAre(kMotion, "Other", kMotion, kMotion));
  EXPECT_EQ(outcome.counts.front(), (std::pair<std::string, std::int64_t>("questions", 4)));
  EXPECT_EQ(outcome.counts.back(), (std::pair<std::string, std::int64_t>("written", 4)));
  EXPECT_THAT(outcome.counts, Contains(Pair(std::string(kMotion), 3)));
  EXPECT_THAT(outcome.counts, Contains(Pair("without a category", 0)));
  EXPECT_TRUE(outcome.notes.empty());
  EXPECT_TRUE(fixture.open().is_done());

  const auto after = io::read_json_file(fixture.output);
  for (const char* name : {"id", "examples", "questions", "answers", "permutations"}) {
    ASSERT_NE(after.find_array()->at(2).find(name), nullptr) << name;
  }
  EXPECT_EQ(after.find_path(2, "examples", 0, "meta", "x")->find_integer(), 1);
}

TEST(CategorizeByModel, AsksWithTheTaxonomyAndTheParametersOfThePublishedScript) {
  Fixture fixture;
  Script script([](const GenerateRequest&, int) { return says("Other"); });
  fixture.categorize(script);
  ASSERT_EQ(script.asked.size(), 4U);
  const GenerateRequest& request = script.asked[2];
  EXPECT_EQ(request.name, "random_2");
  EXPECT_EQ(request.sampling.temperature, 0.3);
  EXPECT_EQ(request.sampling.max_tokens, 30);
  EXPECT_EQ(request.format, AnswerFormat::kSchema);
  EXPECT_EQ(request.choices.size(), 9U);
  const std::string& words = request.messages.back().parts[0].text;
  EXPECT_THAT(words, HasSubstr("Question: Which scene is number 2?"));
  EXPECT_THAT(words, HasSubstr("Emotions & Sentory Experiences: "));
  EXPECT_EQ(words.find('{'), std::string::npos);
  std::set<std::uint64_t> seeds;
  for (const auto& asked : script.asked) seeds.insert(asked.sampling.seed.value());
  EXPECT_EQ(seeds.size(), 4U);
}

TEST(CategorizeByModel, AsksAgainWhereNoCategoryIsNamedAndNeverTakesOtherForIt) {
  Fixture fixture;
  Script script([](const GenerateRequest& request, int times) {
    if (request.name == "random_0") return says(times < 2 ? "Sports" : "Other");
    if (request.name == "random_3") return says("no idea");
    return says(std::string(kMotion));
  });
  const StepOutcome outcome = fixture.categorize(script);
  EXPECT_EQ(script.asked.size(), 4U + 2 + 2);
  EXPECT_THAT(fixture.categories(), ElementsAre("Other", kMotion, kMotion, ""));
  EXPECT_THAT(outcome.counts, Contains(Pair("without a category", 1)));
  EXPECT_THAT(outcome.notes, ElementsAre(HasSubstr("after 3 replies that named none of the "
                                                   "taxonomy: random_3")));
  EXPECT_TRUE(outcome.is_complete());
  EXPECT_EQ(io::read_file(fixture.output).find("\"category\": \"\""), std::string::npos);
  std::set<std::uint64_t> seeds;
  for (const auto& asked : script.asked) seeds.insert(asked.sampling.seed.value());
  EXPECT_EQ(seeds.size(), 8U) << "an attempt asks with a seed of its own";
}

TEST(CategorizeByModel, ABlockedQuestionStaysWithoutACategory) {
  Fixture fixture;
  Script script([](const GenerateRequest& request, int) {
    GenerateOutcome outcome = says("Other");
    if (request.name == "random_2") outcome.status = OutcomeStatus::kBlocked;
    return outcome;
  });
  const StepOutcome outcome = fixture.categorize(script);
  EXPECT_EQ(script.asked.size(), 4U);
  EXPECT_THAT(outcome.notes, ElementsAre(HasSubstr("refused their content: random_2")));
}

TEST(CategorizeByModel, FailedRequestsStayOpenAndNothingIsAskedTwice) {
  Fixture fixture;
  Script first([](const GenerateRequest& request, int) {
    if (request.name == "random_1") return fails();
    return says(request.name == "random_2" ? "what?" : "Other");
  });
  const StepOutcome failed = fixture.categorize(first);
  EXPECT_EQ(failed.num_failed, 1);
  EXPECT_THAT(failed.notes, ElementsAre(HasSubstr("random_1 (the last said: HTTP 503)")));
  EXPECT_FALSE(fs::exists(fixture.output));
  EXPECT_FALSE(fixture.open().is_done());

  Script second([](const GenerateRequest&, int) { return says(std::string(kMotion)); });
  const StepOutcome done = fixture.categorize(second);
  EXPECT_TRUE(done.is_complete());
  std::vector<std::string> asked;
  for (const auto& request : second.asked) asked.push_back(request.name);
  EXPECT_THAT(asked, ElementsAre("random_1"));
  EXPECT_THAT(fixture.categories(), ElementsAre("Other", kMotion, "", "Other"));
}

TEST(CategorizeByModel, AnInterruptedRunGoesOnWhereItWas) {
  const auto reply = [](const GenerateRequest& request, int) {
    return says(std::hash<std::string>{}(request.name) % 3 == 0 ? "mumble" : "Other");
  };
  Fixture whole(20);
  Script undisturbed(reply);
  whole.categorize(undisturbed);

  Fixture fixture(20);
  std::size_t asked = 0;
  for (const std::size_t stop_after : {5U, 8U, 1U}) {
    std::stop_source stop;
    std::size_t count = 0;
    Script script(
        [&](const GenerateRequest& request, int times) {
          if (++count == stop_after) stop.request_stop();
          return reply(request, times);
        },
        true);
    const StepOutcome outcome = fixture.categorize(script, stop.get_token());
    EXPECT_TRUE(outcome.is_cancelled);
    asked += script.asked.size();
  }
  EXPECT_FALSE(fs::exists(fixture.output));
  Script rest(reply, true);
  EXPECT_TRUE(fixture.categorize(rest).is_complete());
  asked += rest.asked.size();
  EXPECT_EQ(asked, undisturbed.asked.size());
  EXPECT_EQ(io::read_file(fixture.output), io::read_file(whole.output));
}

TEST(CategorizeByModel, FreeTextIsTheFirstLineOfTheReply) {
  Fixture fixture(2);
  fixture.options.free_text = true;
  Script script([](const GenerateRequest& request, int) {
    return says(request.name == "random_0" ? " numbers and order\n\nQuestion: x"
                                           : "Category: size");
  });
  const StepOutcome outcome = fixture.categorize(script);
  EXPECT_THAT(fixture.categories(), ElementsAre("numbers and order", "size"));
  EXPECT_THAT(outcome.counts, Contains(Pair("distinct categories", 2)));
  EXPECT_EQ(script.asked[0].format, AnswerFormat::kText);
  EXPECT_EQ(script.asked[0].messages.back().parts[0].text.find("Sentory"), std::string::npos);
}

TEST(CategorizeByModel, AModelThatStopsAnsweringIsAnError) {
  class Silent final : public TextGenerator {
    void run(const GenerateSource& source, const GenerateSink&, std::stop_token) override {
      source();
    }
    std::string description_json() const override { return "{}"; }
  };
  Fixture fixture;
  Silent silent;
  const Error error = error_of([&] { fixture.categorize(silent); });
  EXPECT_EQ(error.code, ErrorCode::kUnavailable);
}

TEST(Categorize, RowsThatCannotBeAskedAreNamed) {
  Script script([](const GenerateRequest&, int) { return says("Other"); });
  const std::pair<std::string, const char*> cases[] = {
      {row(1, "Which?") + "\n" + row(1, "Which?"), "occurred before, in row 1"},
      {row(1, ""), "question is empty"},
      {R"({"id": "random_1", "examples": [], "modalities": []})", "it has no question"},
      {row(1, "Which?") + "\n{\"id\": 3", "row 2"},
  };
  for (const auto& [text, words] : cases) {
    Fixture fixture;
    fixture.input = fixture.folder / "input.jsonl";
    std::ofstream(fixture.input) << text << "\n";
    const Error error = error_of([&, &script = script] { fixture.categorize(script); });
    EXPECT_THAT(error.message, HasSubstr(words));
    EXPECT_THAT(error.message, HasSubstr("input.jsonl"));
    EXPECT_FALSE(fs::exists(fixture.output));
  }
  EXPECT_TRUE(script.asked.empty());
}

TEST(Categorize, SettingsChangeWithWordsAndNotWithoutReason) {
  const CategorizeOptions options;
  const std::string text = settings_json(options, "{}");
  EXPECT_EQ(text, settings_json(CategorizeOptions(), "{}"));
  CategorizeOptions other = options;
  other.prompts.free.user += " please";
  EXPECT_EQ(text, settings_json(other, "{}")) << "the prompt that is not used has no say";
  other.prompts.choose.user += " please";
  EXPECT_NE(text, settings_json(other, "{}"));
  other = options;
  other.taxonomy.categories[3].examples.emplace_back("Which scene has a fork?");
  EXPECT_NE(text, settings_json(other, "{}"));
  EXPECT_NE(settings_json(options.taxonomy, "{}"), settings_json(other.taxonomy, "{}"));
}

TEST(CategoryPrompts, AreReadFromAFolderOfTheUsers) {
  const testing::TempDir folder;
  EXPECT_EQ(read_category_prompts(folder.path()).choose.user,
            default_category_prompts().choose.user);
  std::ofstream(folder / "category.yaml")
      << "choose: {user: 'Which of {categories}? {question}'}\nfree: {user: '{question}'}\n";
  CategorizeOptions options;
  options.prompts = read_category_prompts(folder.path());
  const auto messages = category_messages(options, "Which {categories}?");
  ASSERT_EQ(messages.size(), 1U);  // no system message
  EXPECT_THAT(messages[0].parts[0].text, HasSubstr("Which {categories}?"));
}

TEST(CategoryPrompts, SayWhatIsWrong) {
  const std::pair<const char*, const char*> cases[] = {
      {"[]", "expected 'choose' and 'free'"},
      {"choose: {user: '{question}'}", "'free.user' does not say where the {question}"},
      {"choose: {user: x}\nfree: {user: '{question}'}", "'choose.user'"},
      {"chose: {}", "unknown member 'chose'"},
      {"choose: {assistant: x}", "'choose.assistant'"},
      {"choose: 3", "'choose' is no mapping"},
  };
  for (const auto& [text, words] : cases) {
    const auto prompts = parse_category_prompts(text, "p.yaml");
    ASSERT_FALSE(prompts) << text;
    EXPECT_THAT(prompts.error().message, HasSubstr(words));
  }
}

// One coordinate per letter of the alphabet: texts with the same letters are near.
class Letters final : public EmbeddingSource {
 public:
  EmbeddedTexts embed(const std::string& name, std::span<const std::string> texts,
                      const std::function<void(std::int64_t, std::int64_t)>& progress,
                      std::stop_token stop) override {
    if (stop.stop_requested()) throw Exception(ErrorCode::kCancelled, "stopped");
    names.push_back(name);
    const auto rows = std::make_shared<std::vector<float>>();
    EmbeddedTexts embedded;
    embedded.dimension = 26;
    for (const std::string& text : texts) {
      std::vector<float> vector(26);
      float squares = 0;
      for (const char c : text) {
        if (c >= 'a' && c <= 'z') ++vector[static_cast<std::size_t>(c - 'a')];
      }
      for (const float value : vector) squares += value * value;
      for (const float value : vector) rows->push_back(value / std::sqrt(squares));
      embedded.row_of.push_back(static_cast<std::uint32_t>(embedded.row_of.size()));
    }
    if (progress) progress(1, 1);
    embedded.rows = *rows;
    embedded.owner = rows;
    return embedded;
  }
  std::string description_json() const override { return R"({"model": "letters"})"; }
  std::vector<std::string> names;
};

Taxonomy two_categories() {
  return {{{.name = "Xyz", .description = "xxx yyy zzz", .examples = {}},
           {.name = "Rest", .description = "", .examples = {"Which scene is number e?"}}}};
}

TEST(CategorizeByEmbedding, TakesTheNearestText) {
  Fixture fixture;
  std::ofstream(fixture.input) << "[" << row(1, "Which scene is number f?") << ", "
                               << row(2, "xyz xyz") << "]";
  Letters letters;
  Stage stage = fixture.open();
  const StepOutcome outcome =
      categorize_by_embedding(stage, fixture.input, letters, two_categories(), {}, {});
  EXPECT_THAT(fixture.categories(), ElementsAre("Rest", "Xyz"));
  EXPECT_THAT(outcome.notes, ElementsAre(HasSubstr("by embedding")));
  EXPECT_THAT(letters.names, ElementsAre("categories", "questions"));
  EXPECT_TRUE(stage.is_done());
}

TEST(CategorizeByEmbedding, AStopWritesNothing) {
  Fixture fixture;
  Letters letters;
  std::stop_source stop;
  stop.request_stop();
  Stage stage = fixture.open();
  EXPECT_TRUE(
      categorize_by_embedding(stage, fixture.input, letters, two_categories(), {}, stop.get_token())
          .is_cancelled);
  EXPECT_FALSE(fs::exists(fixture.output));
}

}  // namespace
}  // namespace contra4::pipeline
