#include "contra4/clients/engine_generator.h"

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <mutex>
#include <thread>
#include <utility>

#include <fmt/format.h>

#include "contra4/base/error.h"
#include "contra4/base/log.h"
#include "contra4/io/json.h"
#include "contra4/io/json_writer.h"

namespace contra4::clients {

namespace {

using Engines = std::vector<std::unique_ptr<LocalEngine>>;

// Looks after running servers on a thread of its own; calls `all_died` once when the last has
// ended.
class DeathWatch {
 public:
  DeathWatch(const Engines& engines, std::function<void()> all_died)
      : thread_([this, &engines, all_died = std::move(all_died)](const std::stop_token& stop) {
          watch(engines, all_died, stop);
        }) {}

  bool saw_all_die() const { return saw_all_die_; }

 private:
  void watch(const Engines& engines, const std::function<void()>& all_died,
             const std::stop_token& stop) {
    constexpr std::chrono::milliseconds kLookEvery{200};
    std::vector<bool> is_told(engines.size());
    std::mutex mutex;
    std::unique_lock lock(mutex);
    while (!stop.stop_requested()) {
      std::size_t num_dead = 0;
      for (std::size_t i = 0; i < engines.size(); ++i) {
        if (!engines[i]->has_died()) continue;
        ++num_dead;
        if (!is_told[i] && engines.size() > 1) {
          log::warning("[engine] the server {} has ended; the others go on; its log: {}",
                       engines[i]->base_url(), engines[i]->options().log.string());
        }
        is_told[i] = true;
      }
      if (num_dead == engines.size()) {
        saw_all_die_ = true;
        all_died();
        return;
      }
      woken_.wait_for(lock, stop, kLookEvery, [] { return false; });
    }
  }

  std::atomic<bool> saw_all_die_ = false;
  std::condition_variable_any woken_;
  std::jthread thread_;
};

}  // namespace

EngineGenerator::EngineGenerator(const std::vector<LocalEngineOptions>& engines,
                                 const MakeGenerator& make,
                                 std::unique_ptr<net::Transport> transport)
    : transport_(std::move(transport)) {
  CONTRA4_CHECK(!engines.empty(), "no engine");
  std::vector<std::string> urls;
  for (const LocalEngineOptions& options : engines) {
    const std::string first = engines.front().spec.text();
    if (options.spec.text() != first) {
      throw Exception(ErrorCode::kInvalidArgument,
                      fmt::format("--engine {} and --engine {}: several engines share the "
                                  "questions, so they have to be of one model",
                                  first, options.spec.text()));
    }
    engines_.push_back(std::make_unique<LocalEngine>(options));
    urls.push_back(engines_.back()->base_url());
  }
  generator_ = make(urls);
}

EngineGenerator::~EngineGenerator() {
  end_all();
}

void EngineGenerator::end_all() {
  for (const auto& engine : engines_) engine->request_end();
  for (const auto& engine : engines_) {
    const LocalEngineOptions& options = engine->options();
    engine->stop(stop_.stop_requested() ? options.interrupted_grace : options.stop_grace);
  }
  is_ready_ = false;
}

bool EngineGenerator::start(const std::stop_token& stop) {
  if (is_ready_) return true;
  try {
    for (const auto& engine : engines_) engine->launch();
    is_ready_ = std::all_of(engines_.begin(), engines_.end(), [&](const auto& engine) {
      return engine->wait_until_ready(*transport_, stop);
    });
  } catch (...) {
    end_all();
    throw;
  }
  if (!is_ready_) end_all();
  return is_ready_;
}

void EngineGenerator::run(const GenerateSource& source, const GenerateSink& sink,
                          std::stop_token stop) {
  stop_ = stop;
  std::optional<GenerateRequest> first = source();
  if (!first || !start(stop)) return;
  bool all_died = false;
  {
    std::stop_source inner;
    const std::stop_callback pass_on(stop, [&inner] { inner.request_stop(); });
    const DeathWatch watch(engines_, [&inner] { inner.request_stop(); });
    try {
      generator_->run([&] { return first ? std::exchange(first, std::nullopt) : source(); }, sink,
                      inner.get_token());
      all_died = watch.saw_all_die() && !stop.stop_requested();
    } catch (const Exception& error) {
      // Refused connections, told by the server's own last words instead.
      all_died = error.code() == ErrorCode::kUnavailable &&
                 std::all_of(engines_.begin(), engines_.end(),
                             [](const auto& engine) { return engine->has_died(); });
      if (!all_died) throw;
    }
  }
  if (!all_died) return;
  const Error error = engines_.front()->death();
  end_all();
  throw Exception(error);
}

std::string EngineGenerator::description_json() const {
  io::JsonWriter json;
  json.begin_object();
  const auto inner = io::parse_json(generator_->description_json(), "description").value();
  if (const auto* members = inner.find_object()) {
    for (const auto& [name, value] : *members) {
      if (name != "endpoints") json.member(name, value);
    }
  }
  const EngineSpec& spec = engines_.front()->options().spec;
  const std::string text = spec.text();
  json.member("engine", text.substr(0, text.find(':')));
  std::vector<std::vector<std::string>> told;
  json.key("engine_arguments").begin_array();
  for (const auto& engine : engines_) {
    const std::vector<std::string>& words = engine->options().arguments.words;
    if (std::find(told.begin(), told.end(), words) != told.end()) continue;
    told.push_back(words);
    for (const std::string& word : words) json.value(word);
  }
  json.end_array().end_object();
  return json.take();
}

}  // namespace contra4::clients
