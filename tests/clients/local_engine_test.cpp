#include "contra4/clients/local_engine.h"

#include <chrono>
#include <fstream>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "contra4/io/file.h"
#include "tests/clients/engine_stand_in.h"
#include "tests/support/error_of.h"

namespace contra4::clients {
namespace {

using namespace std::chrono_literals;
using ::testing::AllOf;
using ::testing::ElementsAre;
using testing::error_of;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::Pair;

bool start(LocalEngine& engine, const std::stop_token& stop = {}) {
  engine.launch();
  return engine.wait_until_ready(*net::make_curl_transport(), stop);
}

TEST(EngineSpec, NamesEngineAndModel) {
  const auto spec = parse_engine_spec("vllm:meta-llama/Llama-3.1-8B-Instruct");
  ASSERT_TRUE(spec);
  EXPECT_EQ(spec->kind, EngineKind::kVllm);
  EXPECT_EQ(spec->served_name(), "meta-llama/Llama-3.1-8B-Instruct");
  EXPECT_EQ(spec->text(), "vllm:meta-llama/Llama-3.1-8B-Instruct");
  EXPECT_EQ(parse_engine_spec("llama.cpp:/m/qwen.q4:2.gguf")->served_name(), "qwen.q4:2");
  EXPECT_EQ(parse_engine_spec("transformers:./tiny")->served_name(), "./tiny");
}

TEST(EngineSpec, OtherTextsAreRefusedWithTheNearest) {
  EXPECT_THAT(parse_engine_spec("vlm:x").error().message, HasSubstr("did you mean 'vllm'"));
  EXPECT_THAT(parse_engine_spec("ollama-x").error().message, HasSubstr("llama.cpp:FILE"));
  EXPECT_THAT(parse_engine_spec("vllm").error().message, HasSubstr("names no model"));
  EXPECT_THAT(parse_engine_spec("vllm: ").error().message, HasSubstr("names no model"));
  EXPECT_FALSE(parse_engine_spec(""));
}

TEST(EngineSpec, IsToldFromNamesOfModels) {
  EXPECT_TRUE(names_engine("vllm:x"));
  EXPECT_TRUE(names_engine("llama.cpp:"));
  EXPECT_FALSE(names_engine("openai/vllm:x"));
  EXPECT_FALSE(names_engine("vllm"));
  EXPECT_FALSE(names_engine("qwen3:8b"));
}

TEST(EngineArguments, AreSplitAsAShellDoes) {
  const auto arguments =
      parse_engine_arguments(R"(A=1  B='x y' --flag "two words" a\ b --set=k=v '' C=3)");
  ASSERT_TRUE(arguments);
  EXPECT_THAT(arguments->variables, ElementsAre(Pair("A", "1"), Pair("B", "x y")));
  EXPECT_THAT(arguments->words, ElementsAre("--flag", "two words", "a b", "--set=k=v", "", "C=3"));
  EXPECT_TRUE(parse_engine_arguments("")->words.empty());
  EXPECT_THAT(parse_engine_arguments("--a 'b").error().message, HasSubstr("quote"));
}

TEST(LocalEngine, StartsVllmOnItsPortAndEndsIt) {
  const StandIn stand_in("vllm");
  LocalEngine engine(stand_in.options("vllm:some/model", "MARK=1 --max-model-len 4096"));
  EXPECT_THAT(engine.base_url(), AllOf(HasSubstr("http://127.0.0.1:"), HasSubstr("/v1")));
  EXPECT_TRUE(start(engine));
  EXPECT_FALSE(engine.has_died());
  engine.stop(10s);
  EXPECT_FALSE(engine.was_launched());
  EXPECT_THAT(io::read_file(stand_in / "server.log"),
              HasSubstr(R"("serve", "some/model", "--host", "127.0.0.1", "--port")"));
  EXPECT_THAT(io::read_file(stand_in / "server.log"), HasSubstr(R"("--max-model-len", "4096"])"));
}

TEST(LocalEngine, StartsLlamaServerWithItsFile) {
  const StandIn stand_in("llama-server");
  const std::string file = (stand_in / "tiny.gguf").string();
  std::ofstream(file) << "GGUF";
  LocalEngine engine(stand_in.options("llama.cpp:" + file));
  EXPECT_TRUE(start(engine));
  EXPECT_THAT(io::read_file(stand_in / "server.log"),
              AllOf(HasSubstr("\"-m\", \"" + file + "\""), HasSubstr(R"("--alias", "tiny")"),
                    HasSubstr(R"("-np")")));
}

TEST(LocalEngine, AFileThatIsNotThereIsToldBeforeTheProgram) {
  const StandIn stand_in("llama-server");
  LocalEngine engine(stand_in.options("llama.cpp:/nowhere/tiny.gguf"));
  const Error error = error_of([&] { engine.launch(); });
  EXPECT_EQ(error.code, ErrorCode::kNotFound);
  EXPECT_THAT(error.message, HasSubstr("/nowhere/tiny.gguf"));
}

TEST(LocalEngine, AProgramThatIsNotOnPathIsToldWithHowToInstallIt) {
  const StandIn stand_in("other");
  for (const auto& [spec, words] :
       {std::pair("vllm:x", "pip install vllm"),
        std::pair("transformers:x", "pip install 'transformers[serving]'")}) {
    LocalEngineOptions options = stand_in.options(spec);
    options.path_list = "/nowhere";
    LocalEngine engine(options);
    const Error error = error_of([&] { engine.launch(); });
    EXPECT_EQ(error.code, ErrorCode::kNotFound);
    EXPECT_THAT(error.message, AllOf(HasSubstr("on PATH"), HasSubstr(words)));
  }
}

TEST(LocalEngine, WaitsForOneThatIsReadyLate) {
  const StandIn stand_in("vllm");
  LocalEngine engine(stand_in.options("vllm:x", "--mode late"));
  EXPECT_TRUE(start(engine));
}

TEST(LocalEngine, AsksForTheModelsWhereThereIsNoHealth) {
  const StandIn stand_in("transformers");
  LocalEngine engine(stand_in.options("transformers:x", "--mode no-health"));
  EXPECT_TRUE(start(engine));
}

TEST(LocalEngine, OneThatEndsAtOnceIsToldWithItsLastWords) {
  const StandIn stand_in("vllm");
  LocalEngine engine(stand_in.options("vllm:x", "--mode broken"));
  const Error error = error_of([&] { start(engine); });
  EXPECT_EQ(error.code, ErrorCode::kUnavailable);
  EXPECT_THAT(error.message,
              AllOf(HasSubstr("exit status 1"), HasSubstr("\nloaded\nCUDA out of memory"),
                    HasSubstr("server.log"), Not(HasSubstr("half")), Not(HasSubstr("\x1b"))));
}

TEST(LocalEngine, OneThatIsNeverReadyIsGivenUp) {
  const StandIn stand_in("vllm");
  LocalEngineOptions options = stand_in.options("vllm:x", "--mode never");
  options.start_timeout = 300ms;
  LocalEngine engine(options);
  const Error error = error_of([&] { start(engine); });
  EXPECT_EQ(error.code, ErrorCode::kDeadlineExceeded);
  EXPECT_THAT(error.message, HasSubstr("not ready within 0.3 s"));
}

TEST(LocalEngine, AStopEndsTheWaiting) {
  const StandIn stand_in("vllm");
  LocalEngine engine(stand_in.options("vllm:x", "--mode never"));
  std::stop_source stop;
  stop.request_stop();
  EXPECT_FALSE(start(engine, stop.get_token()));
}

TEST(LocalEngine, OneThatIgnoresBeingAskedIsKilled) {
  const StandIn stand_in("vllm");
  LocalEngine engine(stand_in.options("vllm:x", "--mode stubborn"));
  EXPECT_TRUE(start(engine));
  const auto begun = std::chrono::steady_clock::now();
  engine.stop(100ms);
  EXPECT_LT(std::chrono::steady_clock::now() - begun, 10s);
}

TEST(LocalEngine, ALogThatCannotBeWrittenIsTold) {
  const StandIn stand_in("vllm");
  LocalEngineOptions options = stand_in.options("vllm:x");
  options.log = "/dev/null/engine.log";
  LocalEngine engine(options);
  EXPECT_THAT(error_of([&] { engine.launch(); }).message, HasSubstr("/dev/null/engine.log"));
}

TEST(LastLines, AreTheEndOfALongLog) {
  const testing::TempDir folder;
  std::ofstream log(folder / "log");
  for (int i = 0; i < 20'000; ++i) log << "line " << i << "\n\n";
  log << "the end, without a break";
  log.close();
  EXPECT_EQ(last_lines_of(folder / "log", 3), "line 19998\nline 19999\nthe end, without a break");
  EXPECT_EQ(last_lines_of(folder / "none", 3), "");
}

}  // namespace
}  // namespace contra4::clients
