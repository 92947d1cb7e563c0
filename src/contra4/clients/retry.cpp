#include "contra4/clients/retry.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

namespace contra4::clients {

namespace {

// Longer wishes are all the same to the caller, which cuts them; keeps the arithmetic in range.
constexpr double kLongestWishMs = 1e12;

std::string_view trim(std::string_view text) {
  const std::size_t first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

std::optional<std::chrono::milliseconds> parse_delay(std::string_view text, double unit_ms) {
  text = trim(text);
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  if (!std::isfinite(value) || value < 0) return std::nullopt;
  const double delay_ms = std::min(std::ceil(value * unit_ms), kLongestWishMs);
  return std::chrono::milliseconds(static_cast<std::int64_t>(delay_ms));
}

// Exactly `text`, decimal digits only.
std::optional<int> parse_digits(std::string_view text) {
  int value = 0;
  for (const char c : text) {
    if (c < '0' || c > '9') return std::nullopt;
    value = value * 10 + (c - '0');
  }
  return value;
}

}  // namespace

bool is_retried_status(int status) {
  if (status == 501 || status == 505) return false;
  return status == 408 || status == 409 || status == 425 || status == 429 ||
         (status >= 500 && status <= 599);
}

bool is_retried_error(ErrorCode code) {
  return code == ErrorCode::kUnavailable || code == ErrorCode::kDeadlineExceeded;
}

std::chrono::milliseconds backoff_delay(int failures, const RetryOptions& options, Random& random) {
  double delay_ms = static_cast<double>(options.first_delay.count());
  const double most_ms = static_cast<double>(options.max_delay.count());
  for (int i = 1; i < failures && delay_ms < most_ms; ++i) delay_ms *= 2;
  delay_ms = std::min(delay_ms, most_ms);
  const double jittered_ms = delay_ms * (0.5 + 0.5 * random.uniform());
  return std::chrono::milliseconds(static_cast<std::int64_t>(jittered_ms));
}

std::optional<std::chrono::milliseconds> retry_after(const net::HttpResponse& response,
                                                     std::int64_t unix_now_s) {
  if (const auto delay = parse_delay(response.header("retry-after-ms"), 1)) return delay;
  const std::string_view wish = response.header("retry-after");
  if (const auto delay = parse_delay(wish, 1000)) return delay;
  const std::optional<std::int64_t> until_s = parse_http_date(trim(wish));
  if (!until_s) return std::nullopt;
  const std::int64_t now_s = parse_http_date(trim(response.header("date"))).value_or(unix_now_s);
  return std::chrono::seconds(std::max<std::int64_t>(0, *until_s - now_s));
}

std::optional<std::int64_t> parse_http_date(std::string_view text) {
  constexpr std::array<std::string_view, 7> kDays = {"Mon", "Tue", "Wed", "Thu",
                                                     "Fri", "Sat", "Sun"};
  constexpr std::array<std::string_view, 12> kMonths = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                        "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  // Sun, 06 Nov 1994 08:49:37 GMT
  // 0    5  8   12   17 20 23 26
  if (text.size() != 29 || text.substr(3, 2) != ", " || text[7] != ' ' || text[11] != ' ' ||
      text[16] != ' ' || text[19] != ':' || text[22] != ':' || text.substr(25) != " GMT" ||
      std::ranges::find(kDays, text.substr(0, 3)) == kDays.end()) {
    return std::nullopt;
  }
  const auto month = std::ranges::find(kMonths, text.substr(8, 3));
  const auto day = parse_digits(text.substr(5, 2));
  const auto year = parse_digits(text.substr(12, 4));
  const auto hour = parse_digits(text.substr(17, 2));
  const auto minute = parse_digits(text.substr(20, 2));
  const auto second = parse_digits(text.substr(23, 2));
  if (month == kMonths.end() || !day || !year || !hour || !minute || !second) return std::nullopt;
  if (*hour > 23 || *minute > 59 || *second > 60) return std::nullopt;  // 60: a leap second
  const std::chrono::year_month_day date(
      std::chrono::year(*year),
      std::chrono::month(static_cast<unsigned>(month - kMonths.begin()) + 1),
      std::chrono::day(static_cast<unsigned>(*day)));
  if (!date.ok()) return std::nullopt;
  const std::int64_t days = std::chrono::sys_days(date).time_since_epoch().count();
  return days * 86'400 + std::int64_t{*hour} * 3'600 + std::int64_t{*minute} * 60 + *second;
}

}  // namespace contra4::clients
