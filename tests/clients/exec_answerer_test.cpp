#include "contra4/clients/exec_answerer.h"

#include <signal.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <fstream>
#include <memory>
#include <stdexcept>
#include <stop_token>
#include <string>
#include <thread>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "contra4/base/error.h"
#include "contra4/io/file.h"
#include "contra4/io/json.h"
#include "tests/clients/answerer_support.h"
#include "tests/support/fake_decoder.h"
#include "tests/support/test_env.h"

namespace contra4::clients {
namespace {

using namespace std::chrono_literals;

// Shell programs; "$ticket" is the ticket of the line just read.
constexpr std::string_view kRead = R"(while read -r line; do
ticket=$(expr "$line" : '{"ticket": \([0-9]*\)')
)";
std::string program(std::string_view per_request) {
  return std::string(kRead) + std::string(per_request) + "\ndone";
}
const std::string kAnswer = R"(echo "{\"ticket\": $ticket, \"answer\": \"Scene B\"}")";

ExecOptions quick() {
  ExecOptions options;
  options.timeout = 20s;
  options.first_timeout = 20s;
  options.shutdown_grace = 2s;
  return options;
}

Answers ask(const std::string& command, std::uint64_t count, const ExecOptions& options = quick()) {
  ExecAnswerer answerer(command, options);
  return run_all(answerer, count_questions(count));
}

void expect_throws(const std::string& command, ErrorCode code, const std::string& words,
                   const ExecOptions& options = quick()) {
  try {
    ask(command, 20, options);
    FAIL() << command;
  } catch (const Exception& exception) {
    EXPECT_EQ(exception.code(), code);
    EXPECT_NE(std::string(exception.what()).find(words), std::string::npos) << exception.what();
  }
}

TEST(ExecAnswerer, AsksEveryQuestionOnce) {
  const Answers answers = ask(program(kAnswer), 20);
  EXPECT_EQ(answers.by_ticket.size(), 20U);
  EXPECT_EQ(answers.count(OutcomeStatus::kAnswered), 20);
  EXPECT_EQ(answers.duplicates, 0);
  EXPECT_EQ(answers.by_ticket.at(3).text, "Scene B");
  EXPECT_EQ(answers.by_ticket.at(3).raw_reply, R"({"ticket": 3, "answer": "Scene B"})");
}

TEST(ExecAnswerer, NamesPicturesAndFailsAnItemThatHasNone) {
  const testing::TempDir folder;
  const testing::FakeDecoder decoder;
  ExecOptions options = quick();
  options.pictures = std::make_shared<const media::RequestMedia>(
      media::RequestMediaOptions{.cache = folder / "cache"},
      [&]() -> const media::MediaDecoder& { return decoder; });
  std::vector<Question> questions = {make_question(0), make_question(1), make_question(2)};
  for (Question& question : questions) {
    question.scenes[1].modality = Modality::kPointCloud;
    question.scenes[1].media = folder / "a.obj";
  }
  questions[1].scenes[1].media = folder / "gone.obj";
  std::ofstream(folder / "a.obj") << "v 0 0 0\nv 1 1 1\n";
  // Answers B only where a picture is named.
  ExecAnswerer answerer(
      R"(while read -r line; do case "$line" in *'"pictures": ["'*.jpg*'3D object'*) )"
      R"(echo '{"answer": "B"}';; *) echo '{"answer": "none"}';; esac; done)",
      options);
  const Answers answers = run_all(answerer, questions_from(questions));
  ASSERT_EQ(answers.by_ticket.size(), 3U);
  EXPECT_EQ(answers.by_ticket.at(0).text, "B");
  EXPECT_EQ(answers.by_ticket.at(2).text, "B");
  EXPECT_EQ(answers.by_ticket.at(1).status, OutcomeStatus::kFailed);
  EXPECT_EQ(answers.by_ticket.at(1).error.code, ErrorCode::kNotFound);
}

TEST(ExecAnswerer, TakesAnswersWithoutTicketsInTheOrderAsked) {
  ExecOptions options = quick();
  options.max_in_flight_per_worker = 4;
  const Answers answers = ask(program(R"(echo "{\"answer\": \"it is $ticket\"}")"), 20, options);
  ASSERT_EQ(answers.by_ticket.size(), 20U);
  for (const auto& [ticket, answer] : answers.by_ticket) {
    EXPECT_EQ(answer.text, "it is " + std::to_string(ticket));
  }
}

TEST(ExecAnswerer, TakesAnswersWithTicketsInAnyOrder) {
  ExecOptions options = quick();
  options.max_in_flight_per_worker = 2;
  // Answers every second request first, then the one before it.
  const Answers answers = ask(program(R"(if [ $((ticket % 2)) = 0 ]; then held=$ticket; else
for t in $ticket $held; do echo "{\"ticket\": $t, \"answer\": \"it is $t\"}"; done; fi)"),
                              20, options);
  ASSERT_EQ(answers.count(OutcomeStatus::kAnswered), 20);
  for (const auto& [ticket, answer] : answers.by_ticket) {
    EXPECT_EQ(answer.text, "it is " + std::to_string(ticket));
  }
}

TEST(ExecAnswerer, RunsSeveralProcesses) {
  ExecOptions options = quick();
  options.num_workers = 3;
  const Answers answers =
      ask(program(R"(echo "{\"ticket\": $ticket, \"answer\": \"$$\"}"; sleep 0.02)"), 30, options);
  EXPECT_EQ(answers.count(OutcomeStatus::kAnswered), 30);
  std::map<std::string, int> processes;
  for (const auto& [ticket, answer] : answers.by_ticket) ++processes[answer.text];
  EXPECT_EQ(processes.size(), 3U);
}

TEST(ExecAnswerer, StartsAgainAfterAProgramThatAnswersOnce) {
  const Answers answers = ask("read -r line; echo '{\"answer\": \"A\"}'", 5);
  EXPECT_EQ(answers.count(OutcomeStatus::kAnswered), 5);
}

TEST(ExecAnswerer, TakesALastLineWithoutItsBreak) {
  const Answers answers = ask("read -r line; printf '{\"answer\": \"A\"}'", 3);
  EXPECT_EQ(answers.count(OutcomeStatus::kAnswered), 3);
}

TEST(ExecAnswerer, RestartsAProgramThatDiesEveryThirdTime) {
  const testing::TempDir folder;
  const std::string counter = (folder / "count").string();
  // The count is kept in a file, so that the second try of a request gets through.
  const Answers answers = ask(program("echo x >> " + counter + "; if [ $(($(wc -l < " + counter +
                                      ") % 3)) = 0 ]; then echo oops >&2; exit 3; fi; " + kAnswer),
                              9);
  EXPECT_EQ(answers.count(OutcomeStatus::kAnswered), 9);
  int second_tries = 0;
  for (const auto& [ticket, answer] : answers.by_ticket) second_tries += answer.tries == 2 ? 1 : 0;
  EXPECT_GE(second_tries, 3);
}

TEST(ExecAnswerer, TellsWhatAProgramDiedOver) {
  const Answers answers =
      ask(program("if [ $ticket = 2 ]; then echo 'no memory left' >&2; exit 3; fi; " + kAnswer), 5);
  EXPECT_EQ(answers.count(OutcomeStatus::kAnswered), 4);
  const Answer& failed = answers.by_ticket.at(2);
  EXPECT_EQ(failed.status, OutcomeStatus::kFailed);
  EXPECT_EQ(failed.tries, 2);
  EXPECT_EQ(failed.error.code, ErrorCode::kUnavailable);
  for (const char* words : {"item2", "exit status 3", "no memory left"}) {
    EXPECT_NE(failed.error.message.find(words), std::string::npos) << failed.error.message;
  }
}

TEST(ExecAnswerer, AsksAgainWhatElseWasInFlightOverADeath) {
  ExecOptions options = quick();
  options.max_in_flight_per_worker = 4;
  const Answers answers =
      ask(program("if [ $ticket = 5 ]; then kill -9 $$; fi; " + kAnswer), 12, options);
  EXPECT_EQ(answers.by_ticket.size(), 12U);
  EXPECT_EQ(answers.duplicates, 0);
  EXPECT_EQ(answers.count(OutcomeStatus::kFailed), 1);
  EXPECT_NE(answers.by_ticket.at(5).error.message.find("signal 9"), std::string::npos);
}

TEST(ExecAnswerer, EndsTheRunWhenTheProgramOnlyDies) {
  expect_throws("echo broken >&2; exit 1", ErrorCode::kUnavailable, "broken");
}

TEST(ExecAnswerer, EndsTheRunWhenThereIsNoSuchCommand) {
  expect_throws("/nowhere/to/be/found", ErrorCode::kNotFound, "cannot run the command");
}

TEST(ExecAnswerer, FailsTheItemOfALineThatIsNoAnswer) {
  const Answers answers = ask(
      program("if [ $ticket = 2 ]; then echo 'Loading weights...'; else " + kAnswer + "; fi"), 5);
  EXPECT_EQ(answers.count(OutcomeStatus::kAnswered), 4);
  const Error& error = answers.by_ticket.at(2).error;
  EXPECT_EQ(error.code, ErrorCode::kDataLoss);
  EXPECT_NE(error.message.find("Loading weights"), std::string::npos) << error.message;
}

TEST(ExecAnswerer, DoesNotShiftAnswersBehindALineThatIsNoAnswer) {
  // Without tickets: words before each third answer.
  ExecOptions options = quick();
  options.max_in_flight_per_worker = 2;
  const Answers answers = ask(program(R"(if [ $((ticket % 3)) = 2 ]; then echo words; fi
echo "{\"answer\": \"it is $ticket\"}")"),
                              9, options);
  EXPECT_EQ(answers.by_ticket.size(), 9U);
  for (const auto& [ticket, answer] : answers.by_ticket) {
    if (answer.status == OutcomeStatus::kAnswered) {
      EXPECT_EQ(answer.text, "it is " + std::to_string(ticket));
    }
  }
  EXPECT_GE(answers.count(OutcomeStatus::kAnswered), 6);
}

TEST(ExecAnswerer, FailsTheItemOfAWrongTicket) {
  const Answers answers = ask(program("if [ $ticket = 2 ]; then ticket=99; fi; " + kAnswer), 5);
  EXPECT_EQ(answers.count(OutcomeStatus::kAnswered), 4);
  EXPECT_NE(answers.by_ticket.at(2).error.message.find("ticket 99"), std::string::npos);
}

TEST(ExecAnswerer, KillsAProgramThatHangsWithItsChildren) {
  const testing::TempDir folder;
  const std::string children = (folder / "children").string();
  ExecOptions options = quick();
  options.timeout = 300ms;
  options.first_timeout = 300ms;
  const Answers answers = ask(program("if [ $ticket = 1 ]; then sleep 600 & echo $! > " + children +
                                      "; wait; fi; " + kAnswer),
                              3, options);
  EXPECT_EQ(answers.count(OutcomeStatus::kAnswered), 2);
  EXPECT_EQ(answers.by_ticket.at(1).error.code, ErrorCode::kDeadlineExceeded);
  const pid_t child = std::stoi(io::read_file(children));
  // Killed with the group; who reaps it is not ours to say, so give it a moment.
  bool is_gone = false;
  for (int i = 0; i < 200 && !is_gone; ++i) {
    std::ifstream stat("/proc/" + std::to_string(child) + "/stat");
    std::string pid;
    std::string name;
    std::string state;
    is_gone = !(stat >> pid >> name >> state) || state == "Z" || state == "X";
    if (!is_gone) ::usleep(5000);
  }
  EXPECT_TRUE(is_gone);
}

TEST(ExecAnswerer, RefusesALineWithoutEnd) {
  ExecOptions options = quick();
  options.max_line_bytes = 100'000;
  const Answers answers = ask(
      program("if [ $ticket = 1 ]; then head -c 3000000 /dev/zero | tr '\\0' x; fi; " + kAnswer), 3,
      options);
  EXPECT_EQ(answers.count(OutcomeStatus::kAnswered), 2);
  EXPECT_EQ(answers.by_ticket.at(1).error.code, ErrorCode::kResourceExhausted);
}

TEST(ExecAnswerer, TakesALongAnswer) {
  const Answers answers = ask(program(R"(printf '{"answer": "'
head -c 2000000 /dev/zero | tr '\0' x
printf '"}\n')"),
                              2);
  EXPECT_EQ(answers.count(OutcomeStatus::kAnswered), 2);
  EXPECT_EQ(answers.by_ticket.at(0).text.size(), 2'000'000U);
}

TEST(ExecAnswerer, IsNotBlockedByWordsOnStandardError) {
  const Answers answers = ask(program("head -c 500000 /dev/zero | tr '\\0' e >&2; " + kAnswer), 3);
  EXPECT_EQ(answers.count(OutcomeStatus::kAnswered), 3);
}

TEST(ExecAnswerer, EndsAProgramThatIgnoresTheEndOfItsInput) {
  ExecOptions options = quick();
  options.shutdown_grace = 50ms;
  const auto start = std::chrono::steady_clock::now();
  const Answers answers = ask("trap '' TERM; " + program(kAnswer) + "; sleep 600", 2, options);
  EXPECT_EQ(answers.count(OutcomeStatus::kAnswered), 2);
  EXPECT_LT(std::chrono::steady_clock::now() - start, 10s);
}

TEST(ExecAnswerer, LetsTheProgramTidyUpAtTheEnd) {
  const testing::TempDir folder;
  const std::string file = (folder / "done").string();
  ask(program(kAnswer) + "; sleep 0.1; echo bye > " + file, 2);
  EXPECT_EQ(io::read_file(file), "bye\n");
}

// Counts its starts, and answers with the number of its process.
std::string program_that_counts(const testing::TempDir& folder) {
  return fmt::format("echo start >> {}/starts\n", folder.path().string()) +
         program(R"(echo "{\"ticket\": $ticket, \"answer\": \"$$\"}")") +
         fmt::format("\necho end >> {}/ends", folder.path().string());
}

TEST(ExecAnswerer, KeepsItsProgramForTheNextRunUntilItsOwnEnd) {
  const testing::TempDir folder;
  ExecOptions options = quick();
  options.keeps_running = true;
  {
    ExecAnswerer answerer(program_that_counts(folder), options);
    const Answers first = run_all(answerer, count_questions(3));
    const Answers second = run_all(answerer, count_questions(3));
    EXPECT_EQ(first.by_ticket.at(0).text, second.by_ticket.at(2).text);
    EXPECT_FALSE(std::filesystem::exists(folder / "ends"));
  }
  EXPECT_EQ(io::read_file(folder / "starts"), "start\n");
  EXPECT_EQ(io::read_file(folder / "ends"), "end\n");
}

TEST(ExecAnswerer, StartsAKeptProgramAnewThatSpokeUnaskedOrIsGone) {
  for (const std::string after : {"echo '{\"answer\": \"stray\"}'; sleep 0.2", "exit 0"}) {
    ExecOptions options = quick();
    options.keeps_running = true;
    // The third line is answered, and then comes what was not asked for.
    ExecAnswerer answerer(
        "n=0; while read -r line; do n=$((n+1)); echo '{\"answer\": \"B\"}'; "
        "if [ $n = 3 ]; then " +
            after + "; fi; done",
        options);
    EXPECT_EQ(run_all(answerer, count_questions(3)).count(OutcomeStatus::kAnswered), 3);
    std::this_thread::sleep_for(100ms);  // for the stray line to arrive
    const Answers second = run_all(answerer, count_questions(3));
    EXPECT_EQ(second.count(OutcomeStatus::kAnswered), 3);
    for (const auto& [ticket, answer] : second.by_ticket) EXPECT_EQ(answer.text, "B");
  }
}

TEST(ExecAnswerer, KeepsNothingAfterAFailedRun) {
  const testing::TempDir folder;
  ExecOptions options = quick();
  options.keeps_running = true;
  ExecAnswerer answerer(program_that_counts(folder), options);
  EXPECT_THROW(
      answerer.run(count_questions(3), [](Answer) { throw std::runtime_error("full"); }, {}),
      std::runtime_error);
  EXPECT_EQ(run_all(answerer, count_questions(2)).count(OutcomeStatus::kAnswered), 2);
  EXPECT_EQ(io::read_file(folder / "starts"), "start\nstart\n");
}

TEST(ExecAnswerer, SurvivesAProgramThatClosesItsInput) {
  ExecOptions options = quick();
  options.max_failures_in_a_row = 2;
  // The trap: a machine may be too busy to let the program end before it is told to.
  expect_throws("trap 'exit 4' TERM; exec <&-; sleep 0.05; exit 4", ErrorCode::kUnavailable,
                "exit status 4", options);
}

TEST(ExecAnswerer, StopsWithinASecondAndReportsNothingMore) {
  ExecAnswerer answerer(program("sleep 600"), quick());
  std::stop_source stop;
  Answers answers;
  std::uint64_t asked = 0;
  const QuestionSource source = [&]() -> std::optional<Question> {
    stop.request_stop();
    return make_question(asked++);
  };
  const auto start = std::chrono::steady_clock::now();
  answerer.run(source, answers.sink(), stop.get_token());
  EXPECT_LT(std::chrono::steady_clock::now() - start, 3s);
  EXPECT_TRUE(answers.by_ticket.empty());
  EXPECT_EQ(asked, 1U);
}

TEST(ExecAnswerer, PassesExceptionsOfTheSinkAndEndsItsProcesses) {
  ExecAnswerer answerer(program(kAnswer), quick());
  const AnswerSink sink = [](const Answer&) { throw Exception(ErrorCode::kInternal, "full disk"); };
  EXPECT_THROW(answerer.run(count_questions(3), sink, {}), Exception);
}

TEST(ExecAnswerer, AsksNothingWhenThereAreNoQuestions) {
  EXPECT_TRUE(ask("exit 1", 0).by_ticket.empty());
}

TEST(ExecAnswerer, RefusesOptionsOutOfRange) {
  EXPECT_THROW(ExecAnswerer("", {}), Exception);
  EXPECT_THROW(ExecAnswerer("  ", {}), Exception);
  ExecOptions options;
  options.num_workers = 0;
  EXPECT_THROW(ExecAnswerer("cat", options), Exception);
}

TEST(ExecAnswerer, DescribesItsCommand) {
  EXPECT_EQ(ExecAnswerer("python3 \"x y\".py", {}).description_json(),
            R"({"command": "python3 \"x y\".py"})");
}

}  // namespace
}  // namespace contra4::clients
