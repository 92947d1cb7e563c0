// One of several machines' share of a job.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>

#include "contra4/base/error.h"

namespace contra4 {

// The index-th of `count` parts, from 1.
struct Shard {
  int index = 1;
  int count = 1;
  bool is_whole() const { return count == 1; }
  // [first, last) of `total` rows when parts follow each other: the parts, one behind the other,
  // are the whole, and their sizes differ by one at most.
  std::pair<std::size_t, std::size_t> range(std::size_t total) const;
  friend bool operator==(const Shard&, const Shard&) = default;
};

// "2/8"; kInvalidArgument unless 1 <= I <= N <= 1,000,000.
Result<Shard> parse_shard(std::string_view text);
std::string to_string(const Shard& shard);

}  // namespace contra4
