// One side of bench/requests.py: asks a server through the OpenAI family as an evaluation does, and
// prints how long that took and how much memory it held.
#include <sys/resource.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <optional>
#include <string>
#include <string_view>

#include <fmt/format.h>

#include "contra4/base/clock.h"
#include "contra4/clients/openai_generator.h"
#include "contra4/net/transport.h"

namespace {

// The size and shape of a question with four captioned scenes; bench/requests.py has the same.
contra4::GenerateRequest make_request(std::uint64_t ticket) {
  contra4::GenerateRequest request;
  request.ticket = ticket;
  request.name = std::to_string(ticket);
  request.sampling.max_tokens = 16;
  request.messages.resize(1);
  request.messages[0].parts.resize(1);
  request.messages[0].parts[0].text = fmt::format(
      "Question {}: Which scene is set in the busiest place?\n"
      "Scene A: \"A crowd cheers while a band plays on a stage in the open air.\"\n"
      "Scene B: \"A wooden chair with a round seat and four straight legs.\"\n"
      "Scene C: \"Two dogs run over wet sand at the edge of the sea.\"\n"
      "Scene D: \"A woman cuts vegetables and drops them into a pan of hot oil.\"\n"
      "Answer with the name of one scene.",
      ticket);
  return request;
}

double seconds(const timeval& time) {
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) * 1e-6;
}

int run(const std::string& base_url, std::uint64_t count, int concurrency) {
  using namespace contra4;
  const SystemClock clock;
  clients::OpenAiProtocolOptions protocol;
  protocol.model = "bench";
  protocol.base_urls = {base_url};
  protocol.key = clients::Secret("sk-bench");
  clients::EngineOptions engine;
  engine.limiter = {.start = concurrency, .ceiling = concurrency};
  const auto generator =
      clients::make_openai_generator(protocol, engine, net::make_curl_transport(), clock);
  std::uint64_t pulled = 0;
  std::uint64_t answered = 0;
  std::uint64_t most_held = 0;
  std::uint64_t reported = 0;
  const auto begun = clock.now();
  generator->run(
      [&]() -> std::optional<GenerateRequest> {
        if (pulled == count) return std::nullopt;
        most_held = std::max(most_held, pulled + 1 - reported);
        return make_request(pulled++);
      },
      [&](const GenerateOutcome& outcome) {
        ++reported;
        answered += outcome.status == OutcomeStatus::kAnswered ? 1U : 0U;
      },
      {});
  const double wall_s = std::chrono::duration<double>(clock.now() - begun).count();
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  fmt::print(
      "{{\"requests\": {}, \"answered\": {}, \"wall_s\": {:.3f}, \"cpu_s\": {:.3f}, "
      "\"most_held\": {}, \"peak_rss_mb\": {:.1f}}}\n",
      count, answered, wall_s, seconds(usage.ru_utime) + seconds(usage.ru_stime), most_held,
      static_cast<double>(usage.ru_maxrss) / 1024);
  return answered == count ? 0 : 1;
}

template <class Number>
bool parse(std::string_view text, Number& number) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc() && end == text.data() + text.size();
}

}  // namespace

int main(int argc, char** argv) {
  std::uint64_t count = 0;
  int concurrency = 0;
  if (argc != 4 || !parse(argv[2], count) || !parse(argv[3], concurrency)) {
    std::fputs("requests_bench BASE_URL COUNT CONCURRENCY\n", stderr);
    return 2;
  }
  try {
    return run(argv[1], count, concurrency);
  } catch (const std::exception& exception) {
    std::fprintf(stderr, "%s\n", exception.what());
    return 1;
  }
}
