// The random numbers of numpy's `default_rng`, so that an order which a Python script has drawn
// with a seed can be drawn again. For everything of our own there is random.h, which is smaller.
#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <span>
#include <utility>
#include <vector>

namespace contra4 {

// PCG64 with numpy's seeding, and its way of shuffling a list. (Arrays are shuffled by another way
// of drawing, which is not here.)
// Source: O'Neill, "PCG: A family of simple fast space-efficient statistically good algorithms for
// random number generation", 2014 (XSL-RR 128/64); numpy 2.4 SeedSequence, PCG64 and
// Generator.shuffle, checked against it.
class NumpyRandom {
 public:
  // default_rng(seed)
  explicit NumpyRandom(std::uint64_t seed) : NumpyRandom({seed}) {}
  // default_rng([...]), of one number or more. Zeros at the end of up to four change nothing:
  // {7, 0} draws what 7 draws.
  NumpyRandom(std::initializer_list<std::uint64_t> parts)
      : NumpyRandom(std::span(parts.begin(), parts.size())) {}
  explicit NumpyRandom(std::span<const std::uint64_t> parts);

  // bit_generator.random_raw(); what is left of one taken in halves stays for next32().
  std::uint64_t next64();
  // As Generator takes 32 bits: the lower half of a draw, then its upper half.
  std::uint32_t next32();
  // Generator.random(): [0, 1), 53 bits.
  double random();
  // [0, last], by drawing until it fits into as many bits as `last` has: random_interval() of
  // numpy's C code. Nothing is drawn for 0.
  std::uint64_t interval(std::uint64_t last);
  // Generator.shuffle(list)
  template <class T>
  void shuffle(std::vector<T>& elements) {
    for (std::size_t i = elements.size(); i > 1; --i) {
      std::swap(elements[i - 1], elements[interval(i - 1)]);
    }
  }

 private:
  // 128 bits in two halves.
  struct Word {
    std::uint64_t high = 0;
    std::uint64_t low = 0;
  };
  void step();
  Word state_;
  Word increment_;
  std::optional<std::uint32_t> upper_half_;
};

}  // namespace contra4
