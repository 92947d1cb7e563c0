#include "tests/support/loopback_server.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cctype>
#include <cerrno>
#include <charconv>
#include <cstdio>
#include <mutex>
#include <optional>
#include <queue>
#include <system_error>
#include <thread>
#include <unordered_map>

namespace contra4::testing {

namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t kMaxHeaderBytes = 256U << 10;
constexpr std::size_t kMaxBodyBytes = 1U << 30;

[[noreturn]] void throw_errno(const char* what) {
  throw std::system_error(errno, std::generic_category(), what);
}

std::string_view reason_of(int status) {
  switch (status) {
    case 200:
      return "OK";
    case 302:
      return "Found";
    case 400:
      return "Bad Request";
    case 401:
      return "Unauthorized";
    case 404:
      return "Not Found";
    case 429:
      return "Too Many Requests";
    case 500:
      return "Internal Server Error";
    case 503:
      return "Service Unavailable";
    default:
      return "Status";
  }
}

std::string_view trim(std::string_view text) {
  const std::size_t first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

struct Connection {
  int socket = -1;
  std::uint64_t serial = 0;  // tells a socket number used again from the one before
  std::string input;
  std::string output;
  std::size_t sent = 0;
  bool awaits_reply = false;  // a delayed one
  bool closes_after = false;  // once `output` is out
  bool waits_to_write = false;
  bool has_continued = false;  // "100 Continue" was sent for the request under way
};

struct Delayed {
  Clock::time_point due;
  int socket = -1;
  std::uint64_t serial = 0;
  LoopbackReply reply;
};

struct IsLater {
  bool operator()(const Delayed& a, const Delayed& b) const { return a.due > b.due; }
};

// Takes a whole request off the front of `input`. Empty: not all of it is there yet.
// Throws std::invalid_argument for what is no HTTP.
std::optional<LoopbackRequest> take_request(std::string& input, bool& wants_continue) {
  const std::size_t end = input.find("\r\n\r\n");
  if (end == std::string::npos) {
    if (input.size() > kMaxHeaderBytes) throw std::invalid_argument("header too long");
    return std::nullopt;
  }
  const std::string_view head(input.data(), end);
  const std::string_view first_line = head.substr(0, head.find("\r\n"));
  const std::size_t space = first_line.find(' ');
  const std::size_t second = first_line.find(' ', space + 1);
  if (space == std::string_view::npos || second == std::string_view::npos) {
    throw std::invalid_argument("no request line");
  }
  LoopbackRequest request;
  request.method = first_line.substr(0, space);
  request.target = first_line.substr(space + 1, second - space - 1);
  std::size_t at = first_line.size();
  while (at + 2 < head.size()) {
    const std::string_view line = head.substr(at + 2, head.find("\r\n", at + 2) - at - 2);
    at += 2 + line.size();
    const std::size_t colon = line.find(':');
    if (colon == std::string_view::npos) throw std::invalid_argument("no header line");
    std::string name(line.substr(0, colon));
    std::ranges::transform(name, name.begin(),
                           [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    request.headers.emplace_back(std::move(name), trim(line.substr(colon + 1)));
  }
  if (!request.header("transfer-encoding").empty()) throw std::invalid_argument("chunked request");
  std::size_t length = 0;
  if (const std::string_view text = request.header("content-length"); !text.empty()) {
    const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), length);
    if (error != std::errc() || stop != text.data() + text.size() || length > kMaxBodyBytes) {
      throw std::invalid_argument("content-length");
    }
  }
  if (input.size() - end - 4 < length) {
    wants_continue = request.header("expect") == "100-continue";
    return std::nullopt;
  }
  request.body.assign(input, end + 4, length);
  input.erase(0, end + 4 + length);
  return request;
}

std::string serialise(const LoopbackReply& reply) {
  using Ending = LoopbackReply::Ending;
  if (reply.ending == Ending::kGarbage) return reply.body;
  std::string text;
  text.reserve(reply.body.size() + 256);
  text.append("HTTP/1.1 ").append(std::to_string(reply.status)).append(" ");
  text.append(reason_of(reply.status)).append("\r\nContent-Type: ").append(reply.content_type);
  text.append("\r\nContent-Length: ").append(std::to_string(reply.body.size())).append("\r\n");
  for (const auto& [name, value] : reply.headers) {
    text.append(name).append(": ").append(value).append("\r\n");
  }
  if (reply.ending == Ending::kClose) text.append("Connection: close\r\n");
  text.append("\r\n");
  const bool is_half = reply.ending == Ending::kHalfBody;
  text.append(reply.body, 0, is_half ? reply.body.size() / 2 : reply.body.size());
  return text;
}

// FNV-1a, then SplitMix64's last step: every bit of the text reaches every bit of the number.
std::uint64_t hash_text(std::string_view text, std::uint64_t seed = 0) {
  std::uint64_t hash = 0xcbf29ce484222325ULL ^ seed;
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3ULL;
  hash = (hash ^ (hash >> 30)) * 0xbf58476d1ce4e5b9ULL;
  hash = (hash ^ (hash >> 27)) * 0x94d049bb133111ebULL;
  return hash ^ (hash >> 31);
}

}  // namespace

struct LoopbackServer::State {
  State(LoopbackHandler first_handler, const LoopbackOptions& server_options)
      : options(server_options), handler(std::move(first_handler)) {
    listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (listener < 0) throw_errno("socket");
    const int on = 1;
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(options.port);
    socklen_t size = sizeof address;
    if (bind(listener, reinterpret_cast<const sockaddr*>(&address), size) != 0 ||
        listen(listener, 4096) != 0 ||
        getsockname(listener, reinterpret_cast<sockaddr*>(&address), &size) != 0) {
      const int error = errno;
      close(listener);
      errno = error;
      throw_errno("bind");
    }
    port = ntohs(address.sin_port);
    epoll = epoll_create1(EPOLL_CLOEXEC);
    wake = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    watch(listener, EPOLLIN, EPOLL_CTL_ADD);
    watch(wake, EPOLLIN, EPOLL_CTL_ADD);
    thread = std::thread([this] { loop(); });
  }

  ~State() {
    is_stopping = true;
    const std::uint64_t one = 1;
    [[maybe_unused]] const ssize_t written = write(wake, &one, sizeof one);
    thread.join();
    for (auto& [socket, connection] : connections) close(socket);
    close(wake);
    close(epoll);
    close(listener);
  }
  State(const State&) = delete;
  State& operator=(const State&) = delete;

  void watch(int socket, std::uint32_t events, int operation) const {
    epoll_event event{};
    event.events = events;
    event.data.fd = socket;
    epoll_ctl(epoll, operation, socket, &event);
  }

  void loop() {
    std::array<epoll_event, 256> events{};
    while (!is_stopping) {
      const int count =
          epoll_wait(epoll, events.data(), static_cast<int>(events.size()), wait_ms());
      for (int i = 0; i < count; ++i) {
        const epoll_event& event = events[static_cast<std::size_t>(i)];
        if (event.data.fd == listener) {
          accept_all();
        } else if (const auto found = connections.find(event.data.fd); found != connections.end()) {
          serve(found->second, event.events);
        }
      }
      send_due();
    }
  }

  int wait_ms() const {
    if (delayed.empty()) return -1;
    const auto left =
        std::chrono::ceil<std::chrono::milliseconds>(delayed.top().due - Clock::now()).count();
    return static_cast<int>(std::clamp<std::int64_t>(left, 0, 1'000));
  }

  void accept_all() {
    while (true) {
      const int socket = accept4(listener, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
      if (socket < 0) return;
      const int on = 1;
      setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
      ++num_connections;
      Connection& connection = connections[socket];
      connection.socket = socket;
      connection.serial = ++last_serial;
      watch(socket, EPOLLIN, EPOLL_CTL_ADD);
    }
  }

  // May end the connection, which is not to be touched afterwards.
  void serve(Connection& connection, std::uint32_t events) {
    if ((events & (EPOLLIN | EPOLLHUP | EPOLLERR)) != 0 && !receive(connection)) {
      drop(connection);
      return;
    }
    if ((events & EPOLLOUT) != 0 && !flush(connection)) return;
    answer_received(connection);
  }

  bool receive(Connection& connection) {
    while (true) {
      const ssize_t count = recv(connection.socket, buffer.data(), buffer.size(), 0);
      if (count > 0) {
        connection.input.append(buffer.data(), static_cast<std::size_t>(count));
        if (static_cast<std::size_t>(count) < buffer.size()) return true;
      } else {
        return count < 0 && (errno == EAGAIN || errno == EINTR);
      }
    }
  }

  void answer_received(Connection& connection) {
    const int socket = connection.socket;
    const std::uint64_t serial = connection.serial;
    while (!connection.awaits_reply && !connection.closes_after) {
      std::optional<LoopbackRequest> request;
      LoopbackReply reply;
      try {
        bool wants_continue = false;
        request = take_request(connection.input, wants_continue);
        if (!request) {
          if (wants_continue && !connection.has_continued) {
            connection.has_continued = true;
            connection.output += "HTTP/1.1 100 Continue\r\n\r\n";
            flush(connection);
          }
          return;
        }
        connection.has_continued = false;
        reply = handle(*request);
      } catch (const std::exception& exception) {
        reply = {.status = 400,
                 .body = exception.what(),
                 .content_type = "text/plain",
                 .ending = LoopbackReply::Ending::kClose};
      }
      if (reply.delay.count() > 0) {
        connection.awaits_reply = true;
        const Clock::time_point due = Clock::now() + reply.delay;
        delayed.push({due, socket, serial, std::move(reply)});
        peak_pending = std::max(peak_pending.load(), delayed.size());
        return;
      }
      send_reply(connection, reply);
      const auto found = connections.find(socket);
      if (found == connections.end() || found->second.serial != serial) return;
    }
  }

  LoopbackReply handle(const LoopbackRequest& request) {
    ++num_requests;
    const std::lock_guard lock(mutex);
    if (options.records_requests) requests.push_back(request);
    return handler(request);
  }

  void send_due() {
    while (!delayed.empty() && delayed.top().due <= Clock::now()) {
      const Delayed next = delayed.top();
      delayed.pop();
      const auto found = connections.find(next.socket);
      if (found == connections.end() || found->second.serial != next.serial) continue;
      found->second.awaits_reply = false;
      send_reply(found->second, next.reply);
      if (const auto again = connections.find(next.socket);
          again != connections.end() && again->second.serial == next.serial) {
        answer_received(again->second);
      }
    }
  }

  void send_reply(Connection& connection, const LoopbackReply& reply) {
    if (reply.ending == LoopbackReply::Ending::kCutAtOnce) {
      drop(connection);
      return;
    }
    connection.closes_after = reply.ending != LoopbackReply::Ending::kKeepAlive;
    connection.output += serialise(reply);
    flush(connection);
  }

  // False when the connection was ended.
  bool flush(Connection& connection) {
    while (connection.sent < connection.output.size()) {
      const ssize_t count = send(connection.socket, connection.output.data() + connection.sent,
                                 connection.output.size() - connection.sent, MSG_NOSIGNAL);
      if (count < 0 && errno == EAGAIN) {
        if (!connection.waits_to_write) {
          connection.waits_to_write = true;
          watch(connection.socket, EPOLLIN | EPOLLOUT, EPOLL_CTL_MOD);
        }
        return true;
      }
      if (count < 0 && errno == EINTR) continue;
      if (count < 0) {
        drop(connection);
        return false;
      }
      connection.sent += static_cast<std::size_t>(count);
    }
    connection.output.clear();
    connection.sent = 0;
    if (connection.closes_after) {
      drop(connection);
      return false;
    }
    if (connection.waits_to_write) {
      connection.waits_to_write = false;
      watch(connection.socket, EPOLLIN, EPOLL_CTL_MOD);
    }
    return true;
  }

  void drop(const Connection& connection) {
    const int socket = connection.socket;
    connections.erase(socket);
    close(socket);
  }

  const LoopbackOptions options;
  int listener = -1;
  int epoll = -1;
  int wake = -1;
  std::uint16_t port = 0;
  std::atomic<bool> is_stopping = false;
  std::atomic<std::size_t> num_requests = 0;
  std::atomic<std::size_t> num_connections = 0;
  std::atomic<std::size_t> peak_pending = 0;
  mutable std::mutex mutex;  // of the next two
  std::vector<LoopbackRequest> requests;
  LoopbackHandler handler;
  // Of the server's thread.
  std::unordered_map<int, Connection> connections;
  std::uint64_t last_serial = 0;
  std::priority_queue<Delayed, std::vector<Delayed>, IsLater> delayed;
  std::array<char, 64U << 10> buffer{};
  std::thread thread;
};

LoopbackServer::LoopbackServer(LoopbackHandler handler, const LoopbackOptions& options)
    : state_(std::make_unique<State>(std::move(handler), options)) {}

LoopbackServer::~LoopbackServer() = default;

std::uint16_t LoopbackServer::port() const {
  return state_->port;
}

std::string LoopbackServer::url() const {
  return "http://127.0.0.1:" + std::to_string(state_->port);
}

std::vector<LoopbackRequest> LoopbackServer::requests() const {
  const std::lock_guard lock(state_->mutex);
  return state_->requests;
}

std::size_t LoopbackServer::num_requests() const {
  return state_->num_requests;
}

std::size_t LoopbackServer::num_connections() const {
  return state_->num_connections;
}

std::size_t LoopbackServer::peak_pending() const {
  return state_->peak_pending;
}

void LoopbackServer::set_handler(LoopbackHandler handler) {
  const std::lock_guard lock(state_->mutex);
  state_->handler = std::move(handler);
}

std::string_view LoopbackRequest::header(std::string_view name) const {
  for (const auto& [key, value] : headers) {
    if (key == name) return value;
  }
  return {};
}

std::string_view LoopbackRequest::path() const {
  return std::string_view(target).substr(0, target.find('?'));
}

LoopbackHandler with_failures(LoopbackHandler handler, double rate, std::uint64_t seed) {
  return [inner = std::move(handler), rate, seed,
          asked = std::unordered_map<std::uint64_t, std::uint64_t>()](
             const LoopbackRequest& request) mutable -> LoopbackReply {
    using Ending = LoopbackReply::Ending;
    const std::uint64_t body = hash_text(request.body, seed);
    const std::uint64_t draw = hash_text(std::to_string(asked[body]++), body);
    if (static_cast<double>(draw >> 11) * 0x1.0p-53 >= rate) return inner(request);
    const std::string error = R"({"error": {"message": "scripted failure", "type": "test"}})";
    switch (draw % 7) {
      case 0:
        return {.status = 429, .body = error, .headers = {{"Retry-After", "0"}}};
      case 1:
        return {.status = 429, .body = error};
      case 2:
        return {.status = 503, .body = error};
      case 3:
        return {.body = std::string(200, ' '), .ending = Ending::kHalfBody};
      case 4:
        return {.body = "\x16\x03\x01 no HTTP at all\n", .ending = Ending::kGarbage};
      case 5:
        return {.ending = Ending::kCutAtOnce};
      default:
        return {.status = 500, .body = "<html>500</html>", .content_type = "text/html"};
    }
  };
}

}  // namespace contra4::testing
