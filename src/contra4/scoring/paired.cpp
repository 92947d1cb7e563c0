#include "contra4/scoring/paired.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <optional>

#include "contra4/base/error.h"

namespace contra4::scoring {

namespace {

// Per item the mean hit over its observations; empty where there are none.
std::vector<std::optional<double>> mean_hits(std::span<const Observation> observations,
                                             std::size_t num_items) {
  std::vector<double> sums(num_items, 0.0);
  std::vector<double> counts(num_items, 0.0);
  for (const Observation& observation : observations) {
    CONTRA4_CHECK(observation.item < num_items, "observation of an unknown item");
    sums[observation.item] += observation.hit;
    ++counts[observation.item];
  }
  std::vector<std::optional<double>> means(num_items);
  for (std::size_t i = 0; i < num_items; ++i) {
    if (counts[i] > 0) means[i] = sums[i] / counts[i];
  }
  return means;
}

}  // namespace

PairedDifference compare_paired(std::span<const Observation> a, std::span<const Observation> b,
                                const SharedMedia& media) {
  const auto hits_a = mean_hits(a, media.num_items());
  const auto hits_b = mean_hits(b, media.num_items());
  PairedDifference result;
  std::vector<double> residuals(media.num_items(), 0.0);
  for (std::size_t i = 0; i < media.num_items(); ++i) {
    if (!hits_a[i] || !hits_b[i]) continue;
    ++result.num_items;
    result.accuracy_a += *hits_a[i];
    result.accuracy_b += *hits_b[i];
    result.only_a += *hits_a[i] > *hits_b[i] ? 1 : 0;
    result.only_b += *hits_a[i] < *hits_b[i] ? 1 : 0;
  }
  if (result.num_items == 0) return result;
  const double n = static_cast<double>(result.num_items);
  result.accuracy_a /= n;
  result.accuracy_b /= n;
  result.difference = result.accuracy_a - result.accuracy_b;

  double plain = 0;
  for (std::size_t i = 0; i < media.num_items(); ++i) {
    if (!hits_a[i] || !hits_b[i]) continue;
    residuals[i] = *hits_a[i] - *hits_b[i] - result.difference;
    plain += residuals[i] * residuals[i];
  }
  const double shared = media.sum_of_products(residuals);
  result.stderr_plain = std::sqrt(plain) / n;
  result.stderr_shared_media = shared < 0 ? result.stderr_plain : std::sqrt(shared) / n;
  const double error = std::max(result.stderr_plain, result.stderr_shared_media);

  constexpr double kNoSpread = 1e-9;  // below it, residuals are rounding
  if (error > kNoSpread) {
    result.p_value = std::erfc(std::abs(result.difference) / error / std::sqrt(2.0));
    result.ci95_low = std::max(-1.0, result.difference - kNormal95 * error);
    result.ci95_high = std::min(1.0, result.difference + kNormal95 * error);
  } else {
    // Wilson's interval of n alike outcomes, towards no difference.
    const double wilson = kNormal95 * kNormal95 / (n + kNormal95 * kNormal95);
    const bool is_equal = std::abs(result.difference) < kNoSpread;
    const double inner = result.difference * (1 - wilson);
    result.p_value = is_equal ? 1 : std::min(1.0, std::exp2(1 - n));
    result.ci95_low = is_equal ? -wilson : std::min(result.difference, inner);
    result.ci95_high = is_equal ? wilson : std::max(result.difference, inner);
  }
  result.p_adjusted = result.p_value;
  return result;
}

std::vector<double> holm_adjust(std::span<const double> p_values) {
  std::vector<std::size_t> ascending(p_values.size());
  std::iota(ascending.begin(), ascending.end(), std::size_t{0});
  std::stable_sort(ascending.begin(), ascending.end(),
                   [&](std::size_t a, std::size_t b) { return p_values[a] < p_values[b]; });
  std::vector<double> adjusted(p_values.size());
  double largest = 0;
  for (std::size_t rank = 0; rank < ascending.size(); ++rank) {
    const double factor = static_cast<double>(ascending.size() - rank);
    largest = std::max(largest, std::min(1.0, factor * p_values[ascending[rank]]));
    adjusted[ascending[rank]] = largest;
  }
  return adjusted;
}

void correct_for_many(std::span<PairedDifference> comparisons, double level) {
  std::vector<double> p_values;
  for (const PairedDifference& comparison : comparisons) p_values.push_back(comparison.p_value);
  const std::vector<double> adjusted = holm_adjust(p_values);
  for (std::size_t i = 0; i < comparisons.size(); ++i) {
    comparisons[i].p_adjusted = adjusted[i];
    comparisons[i].is_significant = adjusted[i] < level;
  }
}

}  // namespace contra4::scoring
