#include "contra4/clients/endpoint_pool.h"

#include <algorithm>

#include <fmt/format.h>

#include "contra4/base/error.h"
#include "contra4/net/url.h"

namespace contra4::clients {

std::string endpoint_name(std::string_view url) {
  std::string name = net::printable_url(url);
  while (name.ends_with('/')) name.pop_back();
  return name;
}

EndpointPool::EndpointPool(const std::vector<std::string>& urls, const EndpointOptions& options,
                           const LimiterOptions& limiter, const Clock& clock)
    : options_(options), clock_(clock) {
  if (urls.empty()) throw Exception(ErrorCode::kInvalidArgument, "[endpoints] no base URL given");
  if (options.failures_to_set_aside < 1 || options.first_pause.count() < 0 ||
      options.max_pause < options.first_pause) {
    throw Exception(ErrorCode::kInvalidArgument,
                    "[endpoints] needs failures >= 1 and 0 <= first pause <= longest pause");
  }
  for (const std::string& url : urls) {
    if (!net::is_http_url(url)) {
      throw Exception(ErrorCode::kInvalidArgument,
                      fmt::format("[endpoints] base URL '{}' is no http:// or https:// URL",
                                  net::printable_url(url)));
    }
    endpoints_.push_back({.name = endpoint_name(url), .limiter = AdaptiveLimiter(limiter, clock)});
  }
}

bool EndpointPool::is_free(const Endpoint& endpoint, Clock::TimePoint now) const {
  return now >= endpoint.not_before && endpoint.limiter.has_room();
}

std::optional<std::size_t> EndpointPool::choose(const std::function<bool(std::size_t)>& accepts) {
  const Clock::TimePoint now = clock_.now();
  std::optional<std::size_t> best;
  double best_share = 0;
  for (std::size_t step = 0; step < endpoints_.size(); ++step) {
    const std::size_t index = (turn_ + step) % endpoints_.size();
    const Endpoint& endpoint = endpoints_[index];
    if (!is_free(endpoint, now)) continue;
    const double share = 1 - static_cast<double>(endpoint.limiter.in_flight()) /
                                 static_cast<double>(endpoint.limiter.limit());
    if (share > best_share && accepts(index)) {
      best = index;
      best_share = share;
    }
  }
  if (!best) return std::nullopt;
  turn_ = (*best + 1) % endpoints_.size();
  Endpoint& chosen = endpoints_[*best];
  // One call tries whether an endpoint is back; the others wait for its end, or for a pause.
  if (chosen.failures >= options_.failures_to_set_aside) chosen.not_before = now + chosen.pause;
  return best;
}

bool EndpointPool::has_room() const {
  const Clock::TimePoint now = clock_.now();
  return std::ranges::any_of(endpoints_,
                             [&](const Endpoint& endpoint) { return is_free(endpoint, now); });
}

int EndpointPool::total_limit() const {
  int total = 0;
  for (const Endpoint& endpoint : endpoints_) total += endpoint.limiter.limit();
  return total;
}

std::optional<Clock::TimePoint> EndpointPool::next_due() const {
  const Clock::TimePoint now = clock_.now();
  std::optional<Clock::TimePoint> due;
  for (const Endpoint& endpoint : endpoints_) {
    if (endpoint.not_before > now && (!due || endpoint.not_before < *due)) {
      due = endpoint.not_before;
    }
  }
  return due;
}

void EndpointPool::answered(std::size_t index) {
  Endpoint& endpoint = endpoints_[index];
  endpoint.has_replied = true;
  if (endpoint.failures == 0) return;
  // A pause that the server itself wished for stays.
  if (endpoint.failures >= options_.failures_to_set_aside) endpoint.not_before = endpoint.wished;
  endpoint.failures = 0;
  endpoint.pause = {};
  endpoint.reason.clear();
}

void EndpointPool::failed(std::size_t index, Clock::TimePoint begun, std::string reason) {
  Endpoint& endpoint = endpoints_[index];
  endpoint.reason = std::move(reason);
  if (endpoint.failures > 0 && begun < endpoint.last_failure) return;
  endpoint.last_failure = clock_.now();
  if (endpoint.failures++ == 0) endpoint.first_failure = endpoint.last_failure;
  if (endpoint.failures < options_.failures_to_set_aside) return;
  endpoint.pause = endpoint.pause == Clock::Duration::zero()
                       ? Clock::Duration(options_.first_pause)
                       : std::min<Clock::Duration>(endpoint.pause * 2, options_.max_pause);
  endpoint.not_before = std::max(endpoint.wished, endpoint.last_failure + endpoint.pause);
}

void EndpointPool::replied(std::size_t index) {
  endpoints_[index].has_replied = true;
}

void EndpointPool::pause(std::size_t index, std::chrono::milliseconds duration) {
  Endpoint& endpoint = endpoints_[index];
  endpoint.wished = std::max(endpoint.wished, clock_.now() + duration);
  endpoint.not_before = std::max(endpoint.not_before, endpoint.wished);
}

void EndpointPool::forget_failures() {
  for (Endpoint& endpoint : endpoints_) {
    endpoint.failures = 0;
    endpoint.pause = {};
    endpoint.not_before = endpoint.wished;
    endpoint.reason.clear();
  }
}

std::optional<EndpointPool::Outage> EndpointPool::find_outage() const {
  Outage outage;
  outage.lasted = Clock::Duration::max();
  outage.never_replied = true;
  outage.least_failures = endpoints_.front().failures;
  for (const Endpoint& endpoint : endpoints_) {
    if (endpoint.failures == 0) return std::nullopt;
    outage.began = std::max(outage.began, endpoint.first_failure);
    outage.lasted = std::min(outage.lasted, endpoint.last_failure - endpoint.first_failure);
    outage.never_replied = outage.never_replied && !endpoint.has_replied;
    outage.least_failures = std::min(outage.least_failures, endpoint.failures);
    if (!outage.reasons.empty()) outage.reasons += "; ";
    outage.reasons += fmt::format("{}: {}", endpoint.name, endpoint.reason);
  }
  return outage;
}

}  // namespace contra4::clients
