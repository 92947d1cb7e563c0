#include "contra4/base/numpy_random.h"

#include <algorithm>
#include <array>
#include <bit>

#include "contra4/base/error.h"

namespace contra4 {

namespace {

__extension__ using Wide = unsigned __int128;

constexpr std::size_t kPoolWords = 4;
using Pool = std::array<std::uint32_t, kPoolWords>;

// A multiplicative hash whose constant changes with every word that it is given.
class WordHash {
 public:
  WordHash(std::uint32_t initial, std::uint32_t factor) : constant_(initial), factor_(factor) {}

  std::uint32_t operator()(std::uint32_t word) {
    word ^= constant_;
    constant_ *= factor_;
    word *= constant_;
    return word ^ (word >> 16);
  }

 private:
  std::uint32_t constant_;
  std::uint32_t factor_;
};

std::uint32_t mix(std::uint32_t x, std::uint32_t y) {
  const std::uint32_t mixed = 0xca01f9ddU * x - 0x4973f715U * y;
  return mixed ^ (mixed >> 16);
}

// Each number in as many words as it needs, lowest first; 0 takes one.
std::vector<std::uint32_t> entropy_of(std::span<const std::uint64_t> parts) {
  std::vector<std::uint32_t> words;
  for (const std::uint64_t part : parts) {
    words.push_back(static_cast<std::uint32_t>(part));
    if (part >> 32 != 0) words.push_back(static_cast<std::uint32_t>(part >> 32));
  }
  return words;
}

Pool fill_pool(std::span<const std::uint32_t> entropy) {
  WordHash hash(0x43b0d7e5U, 0x931e8875U);
  Pool pool{};
  for (std::size_t i = 0; i < kPoolWords; ++i) pool[i] = hash(i < entropy.size() ? entropy[i] : 0);
  for (std::size_t source = 0; source < kPoolWords; ++source) {
    for (std::size_t target = 0; target < kPoolWords; ++target) {
      if (source != target) pool[target] = mix(pool[target], hash(pool[source]));
    }
  }
  for (const std::uint32_t word : entropy.subspan(std::min(kPoolWords, entropy.size()))) {
    for (std::uint32_t& target : pool) target = mix(target, hash(word));
  }
  return pool;
}

std::array<std::uint64_t, 4> draw_state(const Pool& pool) {
  WordHash hash(0x8b51f9ddU, 0x58f38dedU);
  std::array<std::uint64_t, 4> state{};
  for (std::size_t i = 0; i < 2 * state.size(); ++i) {
    state[i / 2] |= std::uint64_t{hash(pool[i % kPoolWords])} << (32 * (i % 2));
  }
  return state;
}

Wide join(std::uint64_t high, std::uint64_t low) {
  return (Wide{high} << 64) | low;
}

}  // namespace

NumpyRandom::NumpyRandom(std::span<const std::uint64_t> parts) {
  CONTRA4_CHECK(!parts.empty(), "a seed has at least one number");
  const auto seed = draw_state(fill_pool(entropy_of(parts)));
  const Wide increment = (join(seed[2], seed[3]) << 1) | 1;
  increment_ = {static_cast<std::uint64_t>(increment >> 64), static_cast<std::uint64_t>(increment)};
  step();
  const Wide state = join(state_.high, state_.low) + join(seed[0], seed[1]);
  state_ = {static_cast<std::uint64_t>(state >> 64), static_cast<std::uint64_t>(state)};
  step();
}

void NumpyRandom::step() {
  constexpr std::uint64_t kHigh = 2549297995355413924ULL;
  constexpr std::uint64_t kLow = 4865540595714422341ULL;
  const Wide state =
      join(state_.high, state_.low) * join(kHigh, kLow) + join(increment_.high, increment_.low);
  state_ = {static_cast<std::uint64_t>(state >> 64), static_cast<std::uint64_t>(state)};
}

std::uint64_t NumpyRandom::next64() {
  step();
  return std::rotr(state_.high ^ state_.low, static_cast<int>(state_.high >> 58));
}

std::uint32_t NumpyRandom::next32() {
  if (upper_half_) {
    const std::uint32_t word = *upper_half_;
    upper_half_.reset();
    return word;
  }
  const std::uint64_t drawn = next64();
  upper_half_ = static_cast<std::uint32_t>(drawn >> 32);
  return static_cast<std::uint32_t>(drawn);
}

double NumpyRandom::random() {
  return static_cast<double>(next64() >> 11) * 0x1.0p-53;
}

std::uint64_t NumpyRandom::interval(std::uint64_t last) {
  if (last == 0) return 0;
  const std::uint64_t mask = UINT64_MAX >> std::countl_zero(last);
  const bool is_narrow = last <= UINT32_MAX;
  std::uint64_t value = 0;
  do {
    value = (is_narrow ? next32() : next64()) & mask;
  } while (value > last);
  return value;
}

}  // namespace contra4
