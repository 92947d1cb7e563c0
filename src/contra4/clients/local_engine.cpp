#include "contra4/clients/local_engine.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <fstream>
#include <span>
#include <system_error>
#include <thread>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "contra4/base/log.h"
#include "contra4/base/suggest.h"
#include "contra4/clients/chat_protocol.h"

namespace contra4::clients {

namespace {

namespace fs = std::filesystem;
using SteadyClock = std::chrono::steady_clock;
using std::chrono::milliseconds;

constexpr std::size_t kShownLines = 15;  // of a log, in a message
constexpr milliseconds kFirstPause{20};  // between two looks whether it is ready; then longer
constexpr milliseconds kLongestPause{1'000};
constexpr milliseconds kLook{20};  // for a stop, for the end of the server
constexpr std::chrono::seconds kTellEvery{30};
constexpr std::chrono::seconds kOrphanGrace{10};

struct Engine {
  EngineKind kind;
  std::string_view name;     // "llama.cpp"
  std::string_view program;  // "llama-server"
  std::string_view install;
};
constexpr std::array kEngines = {
    Engine{EngineKind::kVllm, "vllm", "vllm", "pip install vllm (https://docs.vllm.ai)"},
    Engine{EngineKind::kLlamaCpp, "llama.cpp", "llama-server",
           "brew install llama.cpp, or build it (https://github.com/ggml-org/llama.cpp)"},
    Engine{EngineKind::kTransformers, "transformers", "transformers",
           "pip install 'transformers[serving]' torch"},
};

const Engine& engine_of(EngineKind kind) {
  return *std::find_if(kEngines.begin(), kEngines.end(),
                       [&](const Engine& engine) { return engine.kind == kind; });
}

// Up to where the user's own arguments follow, which win.
std::vector<std::string> server_arguments(const EngineSpec& spec, int port) {
  const std::vector<std::string> address = {"--host", "127.0.0.1", "--port", std::to_string(port)};
  std::vector<std::string> words;
  switch (spec.kind) {
    case EngineKind::kVllm:
      words = {"serve", spec.model};
      words.insert(words.end(), address.begin(), address.end());
      // Sampling is as we ask, not as the model's generation_config.json recommends.
      words.insert(words.end(), {"--generation-config", "vllm"});
      break;
    case EngineKind::kLlamaCpp:
      words = {"-m", spec.model, "--alias", spec.served_name()};
      words.insert(words.end(), address.begin(), address.end());
      // Four questions at a time of up to 8192 tokens each, all layers on the accelerator if any.
      words.insert(words.end(), {"-np", "4", "-c", "32768", "-ngl", "99"});
      break;
    case EngineKind::kTransformers:
      words = {"serve", spec.model};
      words.insert(words.end(), address.begin(), address.end());
      break;
  }
  return words;
}

// A socket that is bound to a free port of 127.0.0.1, and the port.
std::pair<int, int> reserve_port() {
  const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  auto* const generic = reinterpret_cast<sockaddr*>(&address);  // NOLINT(*-reinterpret-cast)
  if (socket < 0 || ::bind(socket, generic, size) != 0 ||
      ::getsockname(socket, generic, &size) != 0) {
    const std::string reason = std::generic_category().message(errno);
    if (socket >= 0) ::close(socket);
    throw Exception(ErrorCode::kUnavailable,
                    fmt::format("[engine] no free port on 127.0.0.1: {}", reason));
  }
  return {socket, ntohs(address.sin_port)};
}

int open_log(const fs::path& path) {
  std::error_code ignored;
  if (path.has_parent_path()) fs::create_directories(path.parent_path(), ignored);
  const int log = ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0666);
  if (log < 0) {
    throw Exception(ErrorCode::kInvalidArgument,
                    fmt::format("[engine] cannot write the server's log {}: {}", path.string(),
                                std::generic_category().message(errno)));
  }
  return log;
}

// The status of a GET; 0: no answer, or a stop, or the server ended.
int ask_status(net::Transport& transport, const std::string& url,
               const std::function<bool()>& is_over) {
  int status = 0;
  bool is_done = false;
  net::HttpRequest request;
  request.method = "GET";
  request.url = url;
  request.connect_timeout = milliseconds(1'000);
  request.total_timeout = milliseconds(5'000);
  transport.start(std::move(request), [&](const Result<net::HttpResponse>& response) {
    is_done = true;
    if (response) status = response->status;
  });
  while (!is_done && !is_over()) transport.poll(kLook);
  transport.cancel_all();
  return status;
}

}  // namespace

std::string EngineSpec::text() const {
  return fmt::format("{}:{}", engine_of(kind).name, model);
}

std::string EngineSpec::served_name() const {
  return kind == EngineKind::kLlamaCpp ? fs::path(model).stem().string() : model;
}

bool names_engine(std::string_view text) {
  return std::any_of(kEngines.begin(), kEngines.end(), [&](const Engine& engine) {
    return text.starts_with(engine.name) && text.substr(engine.name.size()).starts_with(':');
  });
}

Result<EngineSpec> parse_engine_spec(std::string_view text) {
  const std::size_t colon = text.find(':');
  const std::string name(text.substr(0, colon));
  for (const Engine& engine : kEngines) {
    if (engine.name != name) continue;
    const std::string_view model = colon == std::string_view::npos ? "" : text.substr(colon + 1);
    if (model.find_first_not_of(" \t") == std::string_view::npos) {
      return Error{ErrorCode::kInvalidArgument,
                   fmt::format("'{}' names no model after the engine ({}:MODEL)", text, name)};
    }
    return EngineSpec{engine.kind, std::string(model)};
  }
  std::vector<std::string> names;
  for (const Engine& engine : kEngines) names.emplace_back(engine.name);
  const auto nearest = find_nearest(name, names);
  return Error{ErrorCode::kInvalidArgument,
               fmt::format("'{}' is no engine:model{}; there are vllm:MODEL, llama.cpp:FILE and "
                           "transformers:MODEL",
                           text, nearest ? fmt::format(" (did you mean '{}'?)", *nearest) : "")};
}

Result<EngineArguments> parse_engine_arguments(std::string_view text) {
  std::vector<std::string> words;
  std::string word;
  bool in_word = false;
  char quote = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    const bool is_escape = c == '\\' && quote != '\'' && i + 1 < text.size();
    if (is_escape) {
      word += text[++i];
      in_word = true;
    } else if (quote != 0) {
      if (c == quote) {
        quote = 0;
      } else {
        word += c;
      }
    } else if (c == '\'' || c == '"') {
      quote = c;
      in_word = true;
    } else if (c == ' ' || c == '\t' || c == '\n') {
      if (in_word) words.push_back(std::exchange(word, {}));
      in_word = false;
    } else {
      word += c;
      in_word = true;
    }
  }
  if (quote != 0) {
    return Error{ErrorCode::kInvalidArgument, fmt::format("'{}': a quote has no end", text)};
  }
  if (in_word) words.push_back(word);

  EngineArguments arguments;
  auto next = words.begin();
  for (; next != words.end(); ++next) {
    const std::size_t equals = next->find('=');
    if (next->starts_with('-') || equals == std::string::npos || equals == 0) break;
    arguments.variables.emplace_back(next->substr(0, equals), next->substr(equals + 1));
  }
  arguments.words.assign(next, words.end());
  return arguments;
}

LocalEngine::LocalEngine(LocalEngineOptions options) : options_(std::move(options)) {
  std::tie(reserved_, port_) = reserve_port();
  base_url_ = fmt::format("http://127.0.0.1:{}/v1", port_);
}

LocalEngine::~LocalEngine() {
  stop(milliseconds(0));
  if (reserved_ >= 0) ::close(reserved_);
}

void LocalEngine::launch() {
  const EngineSpec& spec = options_.spec;
  const Engine& engine = engine_of(spec.kind);
  if (spec.kind == EngineKind::kLlamaCpp && !fs::exists(spec.model)) {
    throw Exception(
        ErrorCode::kNotFound,
        fmt::format("[engine] {} is not there; llama.cpp wants a GGUF file", spec.model));
  }
  const fs::path program = find_program(engine.program, options_.path_list);
  if (program.empty()) {
    throw Exception(ErrorCode::kNotFound,
                    fmt::format("[engine] no program '{}' on PATH; to install it: {}",
                                engine.program, engine.install));
  }
  ChildCommand command{.program = program,
                       .arguments = server_arguments(spec, port_),
                       .variables = {{"PYTHONUNBUFFERED", "1"}}};
  const EngineArguments& more = options_.arguments;
  command.arguments.insert(command.arguments.end(), more.words.begin(), more.words.end());
  command.variables.insert(command.variables.end(), more.variables.begin(), more.variables.end());
  command_text_ = fmt::format("{} {}", engine.program, fmt::join(command.arguments, " "));

  const int log = open_log(options_.log);
  command.output = log;
  command.error = log;
  if (reserved_ >= 0) ::close(std::exchange(reserved_, -1));
  try {
    process_ = std::make_unique<ChildProcess>(command);
    watcher_ = std::make_unique<GroupWatcher>(process_->id(), kOrphanGrace);
  } catch (...) {
    process_.reset();
    ::close(log);
    throw;
  }
  ::close(log);
  log::info("[engine] started {}; its log: {}", command_text_, options_.log.string());
}

bool LocalEngine::wait_until_ready(net::Transport& transport, const std::stop_token& stop) {
  CONTRA4_CHECK(process_ != nullptr, "launch() comes first");
  const auto start = SteadyClock::now();
  const auto is_over = [&] { return stop.stop_requested() || has_died(); };
  const std::string root = fmt::format("http://127.0.0.1:{}", port_);
  std::string path = "/health";
  auto next_words = start + kTellEvery;
  milliseconds pause = kFirstPause;
  while (true) {
    const int status = ask_status(transport, root + path, is_over);
    if (stop.stop_requested()) return false;
    if (has_died()) throw Exception(death());
    const auto now = SteadyClock::now();
    if (status == 200) {
      log::info("[engine] ready after {} s",
                std::chrono::duration_cast<std::chrono::seconds>(now - start).count());
      return true;
    }
    if (status == 404 && path == "/health") {
      path = "/v1/models";
      continue;
    }
    if (now - start >= options_.start_timeout) {
      throw Exception(
          ErrorCode::kDeadlineExceeded,
          fmt::format("[engine] {} was not ready within {} s{}", command_text_,
                      std::chrono::duration<double>(options_.start_timeout).count(), last_lines()));
    }
    if (now >= next_words) {
      next_words = now + kTellEvery;
      log::info("[engine] loading: {}", last_lines_of(options_.log, 1));
    }
    for (const auto end = now + pause; SteadyClock::now() < end && !is_over();) {
      std::this_thread::sleep_for(kLook);
    }
    pause = std::min(pause * 2, kLongestPause);
  }
}

Error LocalEngine::death() {
  process_->terminate(milliseconds(0));
  return {ErrorCode::kUnavailable, fmt::format("[engine] {} ended: {}{}", command_text_,
                                               process_->how_it_ended(), last_lines())};
}

void LocalEngine::request_end() const {
  if (process_ != nullptr) process_->signal_group(SIGTERM);
}

void LocalEngine::stop(milliseconds grace) {
  if (process_ != nullptr) process_->terminate(grace);
  watcher_.reset();
  process_.reset();
}

std::string LocalEngine::last_lines() const {
  const std::string lines = last_lines_of(options_.log, kShownLines);
  if (lines.empty()) return fmt::format("; its log {} is empty", options_.log.string());
  return fmt::format("; the end of its log {}:\n{}", options_.log.string(), lines);
}

std::string last_lines_of(const fs::path& log, std::size_t max_lines) {
  constexpr std::streamoff kMaxBytes = 32'768;
  std::ifstream file(log, std::ios::binary | std::ios::ate);
  if (!file) return {};
  const std::streamoff size = file.tellg();
  const std::streamoff begin = std::max<std::streamoff>(0, size - kMaxBytes);
  file.seekg(begin);
  std::string text(static_cast<std::size_t>(size - begin), '\0');
  file.read(text.data(), size - begin);
  text.resize(static_cast<std::size_t>(file.gcount()));

  std::vector<std::string> lines;
  std::string line;
  for (std::size_t i = 0; i <= text.size(); ++i) {
    if (i == text.size() || text[i] == '\n') {
      line = shorten(line);
      if (line.find_first_not_of(' ') != std::string::npos) lines.push_back(std::move(line));
      line.clear();
    } else if (text[i] == '\r') {
      if (i + 1 < text.size() && text[i + 1] != '\n') line.clear();
    } else if (text[i] == '\x1b' && i + 1 < text.size() && text[i + 1] == '[') {
      i += 2;  // parameters up to the letter that ends the sequence
      while (i < text.size() && (text[i] < '@' || text[i] > '~')) ++i;
    } else {
      line += text[i];
    }
  }
  if (begin > 0 && lines.size() > 1) lines.erase(lines.begin());  // probably cut
  const std::size_t first = lines.size() > max_lines ? lines.size() - max_lines : 0;
  return fmt::format("{}", fmt::join(std::span(lines).subspan(first), "\n"));
}

}  // namespace contra4::clients
