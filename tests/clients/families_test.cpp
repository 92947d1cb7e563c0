#include "contra4/clients/families.h"

#include <map>
#include <set>

#include <gtest/gtest.h>

#include "contra4/base/error.h"
#include "contra4/io/file.h"
#include "tests/clients/answerer_support.h"
#include "tests/support/test_env.h"

namespace contra4::clients {
namespace {

// What is started here is never sent.
class NoTransport final : public net::Transport {
 public:
  void start(net::HttpRequest, Callback) override {}
  void poll(std::chrono::milliseconds) override {}
  std::size_t in_flight() const override { return 0; }
  void cancel_all() override {}
};

class FamiliesTest : public ::testing::Test {
 protected:
  FamiliesTest() {
    context_.environment = [this](const std::string& name) -> std::optional<std::string> {
      const auto found = variables_.find(name);
      return found == variables_.end() ? std::nullopt : std::optional(found->second);
    };
    context_.clock = &clock_;
    context_.make_transport = [] { return std::make_unique<NoTransport>(); };
  }
  std::unique_ptr<Answerer> make(std::string_view spec) {
    return make_answerer(parse_model_spec(spec, !context_.base_urls.empty()), context_);
  }
  void expect_missing(std::string_view spec, const std::string& words) {
    try {
      make(spec);
      FAIL() << spec;
    } catch (const Exception& exception) {
      EXPECT_EQ(exception.code(), ErrorCode::kInvalidArgument);
      EXPECT_NE(std::string(exception.what()).find(words), std::string::npos) << exception.what();
    }
  }
  std::map<std::string, std::string> variables_;
  SystemClock clock_;
  AnswererContext context_;
};

TEST(ModelSpec, SplitsAtTheFirstSlash) {
  const ModelSpec spec = parse_model_spec("openai/meta-llama/Llama-3.1-8B-Instruct", false);
  EXPECT_EQ(spec.family, "openai");
  EXPECT_EQ(spec.name, "meta-llama/Llama-3.1-8B-Instruct");
  EXPECT_EQ(spec.text(), "openai/meta-llama/Llama-3.1-8B-Instruct");
  EXPECT_EQ(parse_model_spec("exec/python3 my model.py --x=1/2", false).name,
            "python3 my model.py --x=1/2");
}

TEST(ModelSpec, TakesAnyOtherNameForAModelOfTheBaseUrl) {
  const ModelSpec spec = parse_model_spec("meta-llama/Llama-3.1-8B-Instruct", true);
  EXPECT_EQ(spec.family, "openai");
  EXPECT_EQ(spec.name, "meta-llama/Llama-3.1-8B-Instruct");
  EXPECT_EQ(parse_model_spec("gpt-4o", true).name, "gpt-4o");
  // A family's name alone is a model's as well.
  EXPECT_EQ(parse_model_spec("blind", true).family, "openai");
}

void expect_no_spec(std::string_view text, const std::string& words) {
  try {
    parse_model_spec(text, false);
    FAIL() << text;
  } catch (const Exception& exception) {
    EXPECT_EQ(exception.code(), ErrorCode::kInvalidArgument);
    EXPECT_NE(std::string(exception.what()).find(words), std::string::npos) << exception.what();
  }
}

TEST(ModelSpec, RefusesStrangersWithAHint) {
  expect_no_spec("opnai/gpt-4o", "did you mean 'openai/...'?");
  expect_no_spec("meta-llama/Llama-3.1-8B", "--base-url");
  expect_no_spec("blind", "is no family/name");
  expect_no_spec("blind/", "names no model");
  expect_no_spec("", "no model given");
}

TEST(Families, AreListedOnceWithWords) {
  std::set<std::string_view> names;
  for (const Family& family : families()) {
    EXPECT_TRUE(names.insert(family.name).second);
    EXPECT_TRUE(family.pattern.starts_with(std::string(family.name) + "/"));
    EXPECT_FALSE(family.summary.empty());
    EXPECT_FALSE(family.needs.empty());
  }
  EXPECT_EQ(names, (std::set<std::string_view>{"blind", "embed", "exec", "gemini", "lexical",
                                               "onellm", "openai", "replay"}));
}

TEST_F(FamiliesTest, BlindPriorsNeedAFitSet) {
  EXPECT_EQ(make("blind/always-A")->input_need(), InputNeed::kNothing);
  expect_missing("blind/modality-prior", "--fit FILE");
  expect_missing("blind/chanse", "did you mean 'chance'?");
  auto fit = std::make_shared<data::Dataset>();
  Item item;
  item.scenes.resize(2);
  item.answer = 1;
  fit->items.push_back(item);
  context_.fit = fit;
  EXPECT_NE(make("blind/modality-prior")->description_json().find("fitted"), std::string::npos);
  EXPECT_NE(make("blind/position-prior")->description_json().find("B of 2"), std::string::npos);
}

TEST_F(FamiliesTest, EmbedOpensTheModelOnlyWhenItIsAsked) {
  bool is_open = false;
  context_.open_embedder = [&]() -> std::unique_ptr<Embedder> {
    is_open = true;
    return nullptr;
  };
  expect_missing("embed/bert", "there is embed/minilm");
  EXPECT_FALSE(is_open);
  EXPECT_EQ(make("embed/minilm")->input_need(), InputNeed::kCaptions);
  EXPECT_TRUE(is_open);
}

TEST_F(FamiliesTest, OpenAiNeedsAKeyOrAServer) {
  expect_missing("openai/gpt-4o", "OPENAI_API_KEY");
  context_.base_urls = {"http://localhost:8000/v1"};
  EXPECT_NE(make("openai/gpt-4o"), nullptr);
  EXPECT_NE(make("some/model"), nullptr);
  context_.base_urls.clear();
  variables_["OPENAI_API_KEY"] = "secret-key-of-mine";
  const std::string description = make("openai/gpt-4o")->description_json();
  EXPECT_NE(description.find("gpt-4o"), std::string::npos);
  EXPECT_EQ(description.find("secret-key-of-mine"), std::string::npos);
  variables_.clear();
  variables_["OPENAI_BASE_URL"] = "http://elsewhere:1/v1";
  EXPECT_NE(make("openai/gpt-4o")->description_json().find("elsewhere"), std::string::npos);
}

TEST_F(FamiliesTest, GeminiNeedsOneOfTwoKeys) {
  expect_missing("gemini/gemini-2.0-flash", "GOOGLE_API_KEY or GEMINI_API_KEY");
  variables_["GEMINI_API_KEY"] = "secret-key-of-mine";
  const std::string description = make("gemini/gemini-2.0-flash")->description_json();
  EXPECT_EQ(description.find("secret-key-of-mine"), std::string::npos);
}

TEST_F(FamiliesTest, SamplingOfTheCommandLineWins) {
  context_.base_urls = {"http://localhost:8000/v1"};
  context_.sampling.temperature = 0.625;
  EXPECT_NE(make("openai/m")->description_json().find("0.625"), std::string::npos);
}

TEST_F(FamiliesTest, UnknownPromptsAreRefused) {
  context_.base_urls = {"http://localhost:8000/v1"};
  context_.prompt = "no-such-prompt";
  EXPECT_THROW(make("openai/m"), Exception);
}

TEST_F(FamiliesTest, LexicalRulesNeedNothing) {
  EXPECT_EQ(make("lexical/bm25")->input_need(), InputNeed::kCaptions);
  expect_missing("lexical/tfidf", "there is lexical/bm25");
}

TEST_F(FamiliesTest, ServersWriteTextAndNobodyElse) {
  context_.base_urls = {"http://localhost:8000/v1"};
  for (const char* spec : {"openai/m", "gemini/m"}) {
    EXPECT_NE(make_generator(parse_model_spec(spec, true), context_), nullptr) << spec;
  }
  // No prompt is looked for, as the caller brings its own.
  context_.prompt = "no-such-prompt";
  EXPECT_NE(make_generator(parse_model_spec("some/model", true), context_), nullptr);
  for (const char* spec :
       {"blind/always-A", "embed/minilm", "lexical/bm25", "exec/cat", "replay/x.json"}) {
    try {
      make_generator(parse_model_spec(spec, true), context_);
      FAIL() << spec;
    } catch (const Exception& exception) {
      EXPECT_EQ(exception.code(), ErrorCode::kInvalidArgument);
      EXPECT_NE(std::string(exception.what()).find("openai/NAME and gemini/NAME do"),
                std::string::npos)
          << exception.what();
    }
  }
}

TEST_F(FamiliesTest, ExecAndReplayTakeTheRestOfTheSpec) {
  EXPECT_EQ(make("exec/cat -n")->description_json(), R"({"command": "cat -n"})");
  EXPECT_THROW(make("replay/no/such/file.json"), Exception);
  const testing::TempDir folder;
  io::write_file_atomically(folder / "p.json", "[]");
  EXPECT_NE(make("replay/" + (folder / "p.json").string()), nullptr);
}

}  // namespace
}  // namespace contra4::clients
