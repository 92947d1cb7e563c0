#include <sys/epoll.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cerrno>
#include <deque>
#include <mutex>
#include <optional>
#include <system_error>
#include <unordered_map>

#include <fmt/format.h>

#include "contra4/base/version.h"
#include "contra4/net/curl_handle.h"
#include "contra4/net/transport.h"
#include "contra4/net/url.h"

namespace contra4::net {

void ensure_curl_started() {
  static std::once_flag once;
  std::call_once(once, [] {
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
      throw Exception(ErrorCode::kInternal, "[http] libcurl does not start");
    }
  });
}

namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t kMaxHeaderBytes = 256U << 10;
constexpr int kEventsPerWait = 256;

// One easy handle with what its C callbacks write into; reused from request to request.
struct Call {
  CurlEasy easy;
  HttpRequest request;
  Transport::Callback done;
  CurlList headers;
  HttpResponse response;
  std::size_t header_bytes = 0;
  bool is_too_large = false;
  std::array<char, CURL_ERROR_SIZE> reason{};
};

std::size_t on_body(char* bytes, std::size_t /*one*/, std::size_t count, void* user) noexcept {
  Call& call = *static_cast<Call*>(user);
  // What is already counted is never above the cap, so the difference does not wrap.
  if (count > call.request.max_response_bytes - call.response.body.size()) {
    call.is_too_large = true;
    return 0;
  }
  try {
    call.response.body.append(bytes, count);
  } catch (...) {
    call.is_too_large = true;
    return 0;
  }
  return count;
}

std::string_view trim(std::string_view text) {
  const std::size_t first = text.find_first_not_of(" \t\r\n");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t\r\n") - first + 1);
}

std::size_t on_header(char* bytes, std::size_t /*one*/, std::size_t count, void* user) noexcept {
  Call& call = *static_cast<Call*>(user);
  const std::string_view line(bytes, count);
  call.header_bytes += count;
  if (call.header_bytes > kMaxHeaderBytes) {
    call.is_too_large = true;
    return 0;
  }
  try {
    if (line.starts_with("HTTP/")) {
      call.response.headers.clear();  // those of a 100 or of the proxy's own answer
      return count;
    }
    const std::size_t colon = line.find(':');
    if (colon == std::string_view::npos) return count;
    std::string name(trim(line.substr(0, colon)));
    std::transform(name.begin(), name.end(), name.begin(),
                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    call.response.headers.emplace_back(std::move(name), trim(line.substr(colon + 1)));
  } catch (...) {
    call.is_too_large = true;
    return 0;
  }
  return count;
}

ErrorCode code_of(CURLcode code) {
  switch (code) {
    case CURLE_OPERATION_TIMEDOUT:
      return ErrorCode::kDeadlineExceeded;
    case CURLE_URL_MALFORMAT:
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_ISSUER_ERROR:
    case CURLE_BAD_FUNCTION_ARGUMENT:
      return ErrorCode::kInvalidArgument;
    case CURLE_OUT_OF_MEMORY:
      return ErrorCode::kResourceExhausted;
    default:
      return ErrorCode::kUnavailable;
  }
}

class CurlTransport final : public Transport {
 public:
  explicit CurlTransport(const CurlOptions& options) : options_(options) {
    ensure_curl_started();
    multi_.reset(curl_multi_init());
    epoll_ = epoll_create1(EPOLL_CLOEXEC);
    if (!multi_ || epoll_ < 0) throw Exception(ErrorCode::kInternal, "[http] no event loop");
    set(CURLMOPT_SOCKETFUNCTION, &CurlTransport::on_socket);
    set(CURLMOPT_SOCKETDATA, this);
    set(CURLMOPT_TIMERFUNCTION, &CurlTransport::on_timer);
    set(CURLMOPT_TIMERDATA, this);
    set(CURLMOPT_MAX_TOTAL_CONNECTIONS, static_cast<long>(options.max_connections));
    set(CURLMOPT_MAXCONNECTS, static_cast<long>(options.max_connections));
    set(CURLMOPT_PIPELINING, static_cast<long>(CURLPIPE_MULTIPLEX));
  }

  ~CurlTransport() override {
    cancel_all();
    free_.clear();
    multi_.reset();  // closes connections, which still speaks to epoll
    close(epoll_);
  }
  CurlTransport(const CurlTransport&) = delete;
  CurlTransport& operator=(const CurlTransport&) = delete;

  void start(HttpRequest request, Callback done) override {
    if (!is_http_url(request.url)) {
      early_.push_back(
          {std::move(done), Error{ErrorCode::kInvalidArgument,
                                  fmt::format("[http] '{}' is no http:// or https:// URL",
                                              printable_url(request.url))}});
      return;
    }
    std::unique_ptr<Call> call = take_call();
    call->request = std::move(request);
    call->done = std::move(done);
    Result<void> prepared = prepare(*call);
    if (prepared && curl_multi_add_handle(multi_.get(), call->easy.get()) != CURLM_OK) {
      prepared = Error{ErrorCode::kInternal, "[http] libcurl does not take a request"};
    }
    if (!prepared) {
      early_.push_back({std::move(call->done), prepared.error()});
      return;
    }
    Call* key = call.get();
    active_.emplace(key, std::move(call));
  }

  void poll(std::chrono::milliseconds wait) override {
    if (!early_.empty()) {
      Early early = std::move(early_.front());
      early_.pop_front();
      early.done(std::move(early.error));
      return;
    }
    std::array<epoll_event, kEventsPerWait> events{};
    const int count = epoll_wait(epoll_, events.data(), kEventsPerWait, wait_ms(wait));
    if (count < 0 && errno != EINTR) {
      throw Exception(ErrorCode::kInternal,
                      "[http] epoll_wait: " + std::generic_category().message(errno));
    }
    int running = 0;
    for (int i = 0; i < count; ++i) {
      const epoll_event& event = events[static_cast<std::size_t>(i)];
      int what = 0;
      if ((event.events & (EPOLLIN | EPOLLHUP)) != 0) what |= CURL_CSELECT_IN;
      if ((event.events & EPOLLOUT) != 0) what |= CURL_CSELECT_OUT;
      if ((event.events & EPOLLERR) != 0) what |= CURL_CSELECT_ERR;
      curl_multi_socket_action(multi_.get(), event.data.fd, what, &running);
    }
    if (due_ && *due_ <= Clock::now()) {
      due_.reset();
      curl_multi_socket_action(multi_.get(), CURL_SOCKET_TIMEOUT, 0, &running);
    }
    finish_ended();
  }

  std::size_t in_flight() const override { return active_.size() + early_.size(); }

  void cancel_all() override {
    early_.clear();
    for (const auto& [key, call] : active_) {
      curl_multi_remove_handle(multi_.get(), call->easy.get());
    }
    active_.clear();
  }

 private:
  struct Early {
    Callback done;
    Error error;
  };

  template <class T>
  void set(CURLMoption option, T value) {
    curl_multi_setopt(multi_.get(), option, value);
  }

  static int on_socket(CURL* /*easy*/, curl_socket_t socket, int what, void* user,
                       void* known) noexcept {
    auto* self = static_cast<CurlTransport*>(user);
    if (what == CURL_POLL_REMOVE) {
      epoll_ctl(self->epoll_, EPOLL_CTL_DEL, socket, nullptr);
      return 0;
    }
    epoll_event event{};
    event.data.fd = socket;
    if ((what & CURL_POLL_IN) != 0) event.events |= EPOLLIN;
    if ((what & CURL_POLL_OUT) != 0) event.events |= EPOLLOUT;
    // A socket that was closed unseen has left epoll, and its number may have come back: whichever
    // way was wrong, the other one is right.
    const bool is_new = known == nullptr;
    if (is_new) curl_multi_assign(self->multi_.get(), socket, self);
    if (epoll_ctl(self->epoll_, is_new ? EPOLL_CTL_ADD : EPOLL_CTL_MOD, socket, &event) == 0) {
      return 0;
    }
    return epoll_ctl(self->epoll_, is_new ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, socket, &event);
  }

  static int on_timer(CURLM* /*multi*/, long timeout_ms, void* user) noexcept {
    auto* self = static_cast<CurlTransport*>(user);
    if (timeout_ms < 0) {
      self->due_.reset();
    } else {
      self->due_ = Clock::now() + std::chrono::milliseconds(timeout_ms);
    }
    return 0;
  }

  int wait_ms(std::chrono::milliseconds wait) const {
    auto left = std::clamp<std::chrono::milliseconds>(wait, std::chrono::milliseconds(0),
                                                      std::chrono::hours(1));
    if (due_) {
      const auto until = std::chrono::ceil<std::chrono::milliseconds>(*due_ - Clock::now());
      left = std::clamp(until, std::chrono::milliseconds(0), left);
    }
    return static_cast<int>(left.count());
  }

  std::unique_ptr<Call> take_call() {
    if (!free_.empty()) {
      std::unique_ptr<Call> call = std::move(free_.back());
      free_.pop_back();
      return call;
    }
    auto call = std::make_unique<Call>();
    call->easy.reset(curl_easy_init());
    CURL* easy = call->easy.get();
    if (easy == nullptr) throw Exception(ErrorCode::kInternal, "[http] no libcurl handle");
    const std::string agent = fmt::format("contra4/{}", version());
    curl_easy_setopt(easy, CURLOPT_PRIVATE, call.get());
    curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, call->reason.data());
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, &on_body);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, call.get());
    curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, &on_header);
    curl_easy_setopt(easy, CURLOPT_HEADERDATA, call.get());
    curl_easy_setopt(easy, CURLOPT_USERAGENT, agent.c_str());
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_NOPROGRESS, 1L);
    curl_easy_setopt(easy, CURLOPT_TCP_NODELAY, 1L);
    curl_easy_setopt(easy, CURLOPT_TCP_KEEPALIVE, 1L);
    curl_easy_setopt(easy, CURLOPT_DNS_CACHE_TIMEOUT, 600L);
    // Dropping a request does not wait for the thread that looks up its host.
    curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L);
    // A redirect would carry the key and the prompt to another place.
    curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 1L);
    curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 2L);
    curl_easy_setopt(easy, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
    curl_easy_setopt(easy, CURLOPT_ACCEPT_ENCODING, "");
    if (!options_.ca_file.empty()) {
      curl_easy_setopt(easy, CURLOPT_CAINFO, options_.ca_file.c_str());
    }
    return call;
  }

  Result<void> prepare(Call& call) const {
    CURL* easy = call.easy.get();
    const HttpRequest& request = call.request;
    call.response = {};
    call.header_bytes = 0;
    call.is_too_large = false;
    call.reason[0] = '\0';
    call.headers.reset();
    // Waiting for "100 Continue" costs a round trip that no such server needs.
    const auto append = [&](const std::string& line) {
      curl_slist* longer = curl_slist_append(call.headers.get(), line.c_str());
      if (longer == nullptr) return;
      [[maybe_unused]] const curl_slist* same = call.headers.release();
      call.headers.reset(longer);
    };
    append("Expect:");
    for (const auto& [name, value] : request.headers) {
      if ((name + value).find_first_of(std::string_view("\r\n\0", 3)) != std::string::npos) {
        return Error{ErrorCode::kInvalidArgument,
                     fmt::format("[http] the value of header '{}' holds a line break", name)};
      }
      append(fmt::format("{}: {}", name, value));
    }
    curl_easy_setopt(easy, CURLOPT_URL, request.url.c_str());
    curl_easy_setopt(easy, CURLOPT_HTTPHEADER, call.headers.get());
    if (request.method == "GET") {
      curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, nullptr);
      curl_easy_setopt(easy, CURLOPT_HTTPGET, 1L);
    } else {
      curl_easy_setopt(easy, CURLOPT_POST, 1L);
      curl_easy_setopt(easy, CURLOPT_POSTFIELDS, request.body.c_str());
      curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE,
                       static_cast<curl_off_t>(request.body.size()));
      curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST,
                       request.method == "POST" ? nullptr : request.method.c_str());
    }
    // HTTP/2 needs TLS to be offered; waiting for a connection that may carry many requests is only
    // worth it there.
    const bool is_tls = request.url.size() > 4 && (request.url[4] == 's' || request.url[4] == 'S');
    curl_easy_setopt(easy, CURLOPT_HTTP_VERSION,
                     static_cast<long>(is_tls ? CURL_HTTP_VERSION_2TLS : CURL_HTTP_VERSION_1_1));
    curl_easy_setopt(easy, CURLOPT_PIPEWAIT, is_tls ? 1L : 0L);
    // Empty: no proxy whatever the environment says; null: as the environment says.
    curl_easy_setopt(easy, CURLOPT_PROXY, is_loopback_url(request.url) ? "" : nullptr);
    curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS,
                     static_cast<long>(request.connect_timeout.count()));
    curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, static_cast<long>(request.total_timeout.count()));
    return {};
  }

  void finish_ended() {
    int left = 0;
    while (const CURLMsg* message = curl_multi_info_read(multi_.get(), &left)) {
      if (message->msg != CURLMSG_DONE) continue;
      const CURLcode code = message->data.result;
      Call* raw = nullptr;
      curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &raw);
      std::unique_ptr<Call> call = std::move(active_.extract(raw).mapped());
      curl_multi_remove_handle(multi_.get(), call->easy.get());
      finish(std::move(call), code);
    }
  }

  void finish(std::unique_ptr<Call> call, CURLcode code) {
    Callback done = std::move(call->done);
    Result<HttpResponse> result = HttpResponse{};
    if (code == CURLE_OK) {
      long status = 0;
      curl_easy_getinfo(call->easy.get(), CURLINFO_RESPONSE_CODE, &status);
      call->response.status = static_cast<int>(status);
      result = std::move(call->response);
    } else if (call->is_too_large) {
      result =
          Error{ErrorCode::kResourceExhausted,
                fmt::format("[http] the answer of {} is larger than {} bytes",
                            printable_url(call->request.url), call->request.max_response_bytes)};
    } else {
      const char* reason = call->reason[0] != '\0' ? call->reason.data() : curl_easy_strerror(code);
      result = Error{code_of(code),
                     fmt::format("[http] {}: {}", printable_url(call->request.url), reason)};
    }
    call->request = {};
    call->response = {};
    free_.push_back(std::move(call));
    done(std::move(result));
  }

  CurlOptions options_;
  CurlMulti multi_;
  int epoll_ = -1;
  std::optional<Clock::time_point> due_;  // libcurl's own timer
  std::unordered_map<Call*, std::unique_ptr<Call>> active_;
  std::vector<std::unique_ptr<Call>> free_;
  std::deque<Early> early_;  // failed before they began; told in poll()
};

}  // namespace

std::unique_ptr<Transport> make_curl_transport(const CurlOptions& options) {
  return std::make_unique<CurlTransport>(options);
}

}  // namespace contra4::net
