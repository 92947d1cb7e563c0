#include "contra4/report/figures.h"

#include <cmath>

#include <fmt/format.h>

namespace contra4::report {

namespace {
// An empty cell.
constexpr const char* kNothing = "\u2013";
}  // namespace

std::string with_thousands(std::int64_t number) {
  std::string digits = std::to_string(number);
  const std::size_t first = number < 0 ? 1 : 0;
  for (std::size_t i = digits.size(); i > first + 3;) {
    i -= 3;
    digits.insert(i, 1, ',');
  }
  return digits;
}

std::string percent(double share) {
  return fmt::format("{:.1f}", 100 * share);
}

std::string signed_points(double difference) {
  const std::string text = fmt::format("{:+.1f}", 100 * difference);
  return text == "+0.0" || text == "-0.0" ? "0.0" : text;
}

std::string points(double error) {
  return fmt::format("{:.2f}", 100 * error);
}

std::string interval(const scoring::Accuracy& accuracy) {
  if (accuracy.total == 0) return kNothing;
  return fmt::format("{}\u2013{}", percent(accuracy.ci95_low), percent(accuracy.ci95_high));
}

std::string accuracy_text(const scoring::Accuracy& accuracy) {
  return accuracy.total == 0 ? kNothing : percent(accuracy.accuracy);
}

std::string signed_interval(const scoring::PairedDifference& difference) {
  return fmt::format("[{}, {}]", signed_points(difference.ci95_low),
                     signed_points(difference.ci95_high));
}

std::string p_value(double p) {
  return p < 0.001 ? "<0.001" : fmt::format("{:.3f}", p);
}

std::string count_text(double count) {
  const double rounded = std::round(count);
  return std::abs(count - rounded) < 1e-9 ? with_thousands(static_cast<std::int64_t>(rounded))
                                          : fmt::format("{:.1f}", count);
}

}  // namespace contra4::report
