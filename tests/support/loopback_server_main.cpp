// The loopback server as a program, for benchmarks and tests that need another process. Prints its
// port on standard output and answers until it is killed.
#include <unistd.h>

#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>

#include "contra4/base/hash.h"
#include "tests/support/loopback_server.h"

namespace {

constexpr const char* kUsage =
    "contra4_loopback_server [options]: answers as a model server on 127.0.0.1\n"
    "  --port N          port (default: any free one; printed on standard output)\n"
    "  --failure-rate R  share of the requests that fail, 0 to 1 (default 0)\n"
    "  --seed N          of the failures (default 0)\n"
    "  --delay-ms N      before each reply (default 0)\n"
    "  --log FILE        appends a line per request received: SHA-256 of its body, a space and "
    "the\n"
    "                    status sent (0: none, the connection was cut or the reply spoilt)\n";

struct Settings {
  std::uint16_t port = 0;
  double failure_rate = 0;
  std::uint64_t seed = 0;
  int delay_ms = 0;
  std::string log;
};

template <class Number>
bool parse(std::string_view text, Number& number) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc() && end == text.data() + text.size();
}

bool parse_arguments(int argc, char** argv, Settings& settings) {
  for (int i = 1; i + 1 < argc; i += 2) {
    const std::string_view name = argv[i];
    const std::string_view value = argv[i + 1];
    if (name == "--log") {
      settings.log = value;
      continue;
    }
    const bool is_good = (name == "--port" && parse(value, settings.port)) ||
                         (name == "--failure-rate" && parse(value, settings.failure_rate)) ||
                         (name == "--seed" && parse(value, settings.seed)) ||
                         (name == "--delay-ms" && parse(value, settings.delay_ms));
    if (!is_good) return false;
  }
  return argc % 2 == 1;
}

struct FileCloser {
  void operator()(std::FILE* file) const { std::fclose(file); }
};

}  // namespace

int main(int argc, char** argv) {
  using contra4::testing::LoopbackReply;
  Settings settings;
  if (!parse_arguments(argc, argv, settings)) {
    std::fputs(kUsage, stderr);
    return 2;
  }
  std::unique_ptr<std::FILE, FileCloser> log;
  if (!settings.log.empty()) {
    log.reset(std::fopen(settings.log.c_str(), "ae"));
    if (!log) {
      std::perror(settings.log.c_str());
      return 1;
    }
  }
  contra4::testing::LoopbackHandler answer = contra4::testing::answer_as_model_server;
  if (settings.failure_rate > 0) {
    answer = contra4::testing::with_failures(answer, settings.failure_rate, settings.seed);
  }
  try {
    const contra4::testing::LoopbackServer server(
        [&](const contra4::testing::LoopbackRequest& request) {
          LoopbackReply reply = answer(request);
          // A journal of raw replies then says which requests it holds.
          if (const std::size_t at = reply.body.find("cmpl-1\""); at != std::string::npos) {
            reply.body.replace(at + 5, 1, contra4::sha256_hex(request.body));
          }
          reply.delay = std::chrono::milliseconds(settings.delay_ms);
          if (log) {
            const bool is_whole = reply.ending == LoopbackReply::Ending::kKeepAlive ||
                                  reply.ending == LoopbackReply::Ending::kClose;
            std::fprintf(log.get(), "%s %d\n", contra4::sha256_hex(request.body).c_str(),
                         is_whole ? reply.status : 0);
            std::fflush(log.get());
          }
          return reply;
        },
        {.port = settings.port, .records_requests = false});
    std::printf("%d\n", server.port());
    std::fflush(stdout);
    while (true) pause();
  } catch (const std::exception& exception) {
    std::fprintf(stderr, "%s\n", exception.what());
    return 1;
  }
}
