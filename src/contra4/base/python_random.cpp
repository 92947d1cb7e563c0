#include "contra4/base/python_random.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <numeric>
#include <unordered_set>

#include <fmt/format.h>

namespace contra4 {

namespace {

constexpr std::size_t kMaxDigits = 10'000;

std::vector<std::uint32_t> words_of(std::uint64_t number) {
  std::vector<std::uint32_t> words = {static_cast<std::uint32_t>(number)};
  if (number >> 32 != 0) words.push_back(static_cast<std::uint32_t>(number >> 32));
  return words;
}

// words = words * 10 + digit
void append_digit(std::vector<std::uint32_t>& words, unsigned digit) {
  std::uint64_t carry = digit;
  for (std::uint32_t& word : words) {
    carry += static_cast<std::uint64_t>(word) * 10;
    word = static_cast<std::uint32_t>(carry);
    carry >>= 32;
  }
  if (carry != 0) words.push_back(static_cast<std::uint32_t>(carry));
}

// From which number of elements on random.sample() remembers what it has drawn in a set instead of
// taking it out of a list.
double largest_list(std::uint64_t count) {
  double size = 21;
  if (count > 5) {
    size += std::pow(4, std::ceil(std::log(static_cast<double>(count) * 3) / std::log(4.0)));
  }
  return size;
}

}  // namespace

PythonRandom::PythonRandom(std::uint64_t seed) : PythonRandom(words_of(seed)) {}

PythonRandom::PythonRandom(const std::vector<std::uint32_t>& key) {
  seed_with_key(key);
}

Result<PythonRandom> PythonRandom::seeded(std::string_view digits) {
  std::string_view rest = digits;
  if (rest.starts_with('-') || rest.starts_with('+')) rest.remove_prefix(1);
  if (rest.empty() || rest.size() > kMaxDigits ||
      rest.find_first_not_of("0123456789") != std::string_view::npos) {
    return Error{
        ErrorCode::kInvalidArgument,
        fmt::format("'{:.40}' is no seed: up to {} digits are wanted", digits, kMaxDigits)};
  }
  std::vector<std::uint32_t> words = {0};
  for (const char digit : rest) append_digit(words, static_cast<unsigned>(digit - '0'));
  return PythonRandom(words);
}

void PythonRandom::seed_with_word(std::uint32_t word) {
  for (std::size_t i = 0; i < kStateWords; ++i) {
    state_[i] = word;
    word = 1812433253U * (word ^ (word >> 30)) + static_cast<std::uint32_t>(i + 1);
  }
  position_ = kStateWords;
}

void PythonRandom::seed_with_key(const std::vector<std::uint32_t>& key) {
  seed_with_word(19650218U);
  std::size_t i = 1;
  std::size_t j = 0;
  const auto mixed = [&](std::uint32_t factor) {
    const std::uint32_t before = state_[i - 1];
    return state_[i] ^ ((before ^ (before >> 30)) * factor);
  };
  const auto advance = [&] {
    if (++i >= kStateWords) {
      state_[0] = state_[kStateWords - 1];
      i = 1;
    }
  };
  for (std::size_t k = std::max(kStateWords, key.size()); k > 0; --k) {
    state_[i] = mixed(1664525U) + key[j] + static_cast<std::uint32_t>(j);
    advance();
    if (++j >= key.size()) j = 0;
  }
  for (std::size_t k = kStateWords - 1; k > 0; --k) {
    state_[i] = mixed(1566083941U) - static_cast<std::uint32_t>(i);
    advance();
  }
  state_[0] = 0x80000000U;
}

void PythonRandom::renew() {
  constexpr std::size_t kShift = 397;
  for (std::size_t i = 0; i < kStateWords; ++i) {
    const std::uint32_t word =
        (state_[i] & 0x80000000U) | (state_[(i + 1) % kStateWords] & 0x7fffffffU);
    state_[i] =
        state_[(i + kShift) % kStateWords] ^ (word >> 1) ^ ((word & 1U) != 0 ? 0x9908b0dfU : 0U);
  }
  position_ = 0;
}

std::uint32_t PythonRandom::next_word() {
  if (position_ == kStateWords) renew();
  std::uint32_t word = state_[position_++];
  word ^= word >> 11;
  word ^= (word << 7) & 0x9d2c5680U;
  word ^= (word << 15) & 0xefc60000U;
  return word ^ (word >> 18);
}

std::uint64_t PythonRandom::getrandbits(int bits) {
  CONTRA4_CHECK(bits >= 0 && bits <= 64, "getrandbits gives 0 to 64 bits");
  if (bits == 0) return 0;
  if (bits <= 32) return next_word() >> (32 - bits);
  const std::uint64_t low = next_word();
  const std::uint64_t high = next_word() >> (64 - bits);
  return low | (high << 32);
}

double PythonRandom::random() {
  const std::uint64_t high = next_word() >> 5;
  const std::uint64_t low = next_word() >> 6;
  return static_cast<double>((high << 26) | low) * 0x1.0p-53;
}

std::uint64_t PythonRandom::randbelow(std::uint64_t bound) {
  CONTRA4_CHECK(bound > 0, "randbelow needs a bound above 0");
  const int bits = std::bit_width(bound);
  std::uint64_t value = getrandbits(bits);
  while (value >= bound) value = getrandbits(bits);
  return value;
}

std::int64_t PythonRandom::randint(std::int64_t first, std::int64_t last) {
  CONTRA4_CHECK(first <= last, "randint needs first <= last");
  const std::uint64_t width =
      static_cast<std::uint64_t>(last) - static_cast<std::uint64_t>(first) + 1;
  return static_cast<std::int64_t>(static_cast<std::uint64_t>(first) + randbelow(width));
}

std::vector<std::uint64_t> PythonRandom::sample(std::uint64_t population, std::uint64_t count) {
  CONTRA4_CHECK(count <= population, "a sample cannot be larger than what it is drawn from");
  std::vector<std::uint64_t> result;
  result.reserve(count);
  if (static_cast<double>(population) <= largest_list(count)) {
    std::vector<std::uint64_t> pool(population);
    std::iota(pool.begin(), pool.end(), std::uint64_t{0});
    for (std::uint64_t i = 0; i < count; ++i) {
      const std::uint64_t j = randbelow(population - i);
      result.push_back(pool[j]);
      pool[j] = pool[population - i - 1];
    }
    return result;
  }
  std::unordered_set<std::uint64_t> selected;
  for (std::uint64_t i = 0; i < count; ++i) {
    std::uint64_t j = randbelow(population);
    while (!selected.insert(j).second) j = randbelow(population);
    result.push_back(j);
  }
  return result;
}

}  // namespace contra4
