// The random numbers of Python's `random` module, so that what a Python script drew with a seed can
// be drawn again. For everything of our own there is random.h, which is smaller.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

#include "contra4/base/error.h"

namespace contra4 {

// Mersenne Twister MT19937 with CPython's seeding and its ways of drawing from a range.
// Source: Matsumoto and Nishimura, mt19937ar, 2002; CPython 3.11 `random`, checked against it.
class PythonRandom {
 public:
  // random.seed(seed)
  explicit PythonRandom(std::uint64_t seed);
  // random.seed(int(digits)): decimal digits, any number of them up to 10,000; a sign does not
  // matter to Python. kInvalidArgument for another text.
  static Result<PythonRandom> seeded(std::string_view digits);

  // random.getrandbits(bits) for 0 to 64 bits.
  std::uint64_t getrandbits(int bits);
  // random.random(): [0, 1), 53 bits.
  double random();
  // random._randbelow_with_getrandbits(bound): [0, bound), bound > 0. The same as the index that
  // random.choice() of so many elements takes.
  std::uint64_t randbelow(std::uint64_t bound);
  // random.randint(first, last): both ends included.
  std::int64_t randint(std::int64_t first, std::int64_t last);
  // random.choice(elements), which are not empty.
  template <class T>
  const T& choice(const std::vector<T>& elements) {
    return elements[randbelow(elements.size())];
  }
  // random.sample(range(population), count): indices in the order in which they are drawn;
  // count <= population.
  std::vector<std::uint64_t> sample(std::uint64_t population, std::uint64_t count);
  // random.shuffle(elements)
  template <class T>
  void shuffle(std::vector<T>& elements) {
    for (std::size_t i = elements.size(); i > 1; --i) {
      std::swap(elements[i - 1], elements[randbelow(i)]);
    }
  }

 private:
  static constexpr std::size_t kStateWords = 624;
  // `key` is the absolute value in words of 32 bits, lowest first.
  explicit PythonRandom(const std::vector<std::uint32_t>& key);
  void seed_with_key(const std::vector<std::uint32_t>& key);
  void seed_with_word(std::uint32_t word);
  void renew();
  std::uint32_t next_word();
  std::array<std::uint32_t, kStateWords> state_{};
  std::size_t position_ = kStateWords;
};

}  // namespace contra4
