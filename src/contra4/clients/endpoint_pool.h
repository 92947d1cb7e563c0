// Several base URLs of the same service: which is asked next, which is set aside for a while.
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "contra4/base/clock.h"
#include "contra4/clients/adaptive_limiter.h"

namespace contra4::clients {

struct EndpointOptions {
  int failures_to_set_aside = 3;                 // one after the other, without a reply between
  std::chrono::milliseconds first_pause{1'000};  // doubled each time it fails again
  std::chrono::milliseconds max_pause{30'000};
};

// `url` without user, password, query and fragment, and without a slash at the end: for names in
// messages and journals.
std::string endpoint_name(std::string_view url);

class EndpointPool {
 public:
  // Throws kInvalidArgument for no URL at all, or one that is not http:// or https://.
  EndpointPool(const std::vector<std::string>& urls, const EndpointOptions& options,
               const LimiterOptions& limiter, const Clock& clock);

  std::size_t size() const { return endpoints_.size(); }
  const std::string& name(std::size_t index) const { return endpoints_[index].name; }
  AdaptiveLimiter& limiter(std::size_t index) { return endpoints_[index].limiter; }

  // The endpoint with the most free share of its limit among those that are not set aside and that
  // `accepts`; the first of equals in turn. Empty: none has room now. An endpoint whose pause is
  // over is given one call per pause until it answers.
  std::optional<std::size_t> choose(const std::function<bool(std::size_t)>& accepts);
  bool has_room() const;
  int total_limit() const;  // of all endpoints together, set aside or not
  // When the first endpoint that is set aside is due; empty when none is.
  std::optional<Clock::TimePoint> next_due() const;

  // Any HTTP reply that is no 5xx: the failures before it are forgotten.
  void answered(std::size_t index);
  // Any HTTP reply at all: something is there, if only a server that is still loading.
  void replied(std::size_t index);
  bool has_replied(std::size_t index) const { return endpoints_[index].has_replied; }
  // A call that failed. Calls begun before the last failure say nothing new, so a burst counts
  // once; the pause of an endpoint set aside doubles with each further failure.
  void failed(std::size_t index, Clock::TimePoint begun, std::string reason);
  // The server's own wish (Retry-After).
  void pause(std::size_t index, std::chrono::milliseconds duration);

  // At the start of a run: endpoints that failed in the one before are tried again at once.
  void forget_failures();

  // That every endpoint has been failing: empty while one of them has answered since its last
  // failure. `never_replied`: no HTTP reply of any kind since the pool was made.
  struct Outage {
    Clock::TimePoint began{};
    Clock::Duration lasted{};  // up to the last failure, so that its end is always tried for
    bool never_replied = false;
    int least_failures = 0;  // of the endpoint with the fewest
    std::string reasons;     // "http://a/v1: connection refused; ..."
  };
  std::optional<Outage> find_outage() const;

 private:
  struct Endpoint {
    std::string name;
    AdaptiveLimiter limiter;
    int failures = 0;  // in a row
    bool has_replied = false;
    Clock::TimePoint first_failure{};
    Clock::TimePoint last_failure{};
    Clock::TimePoint not_before{};
    Clock::TimePoint wished{};  // by the server: `not_before` is never earlier
    Clock::Duration pause{};    // of an endpoint set aside
    std::string reason{};
  };
  bool is_free(const Endpoint& endpoint, Clock::TimePoint now) const;

  EndpointOptions options_;
  const Clock& clock_;
  std::vector<Endpoint> endpoints_;
  std::size_t turn_ = 0;
};

}  // namespace contra4::clients
