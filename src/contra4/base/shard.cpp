#include "contra4/base/shard.h"

#include <algorithm>
#include <charconv>

#include <fmt/format.h>

namespace contra4 {

namespace {

constexpr int kMaxShards = 1'000'000;

}  // namespace

std::pair<std::size_t, std::size_t> Shard::range(std::size_t total) const {
  const auto parts = static_cast<std::size_t>(count);
  const std::size_t size = total / parts;
  const std::size_t larger = total % parts;  // the first so many parts have one more
  const auto begin_of = [&](std::size_t part) { return part * size + std::min(part, larger); };
  const auto part = static_cast<std::size_t>(index) - 1;
  return {begin_of(part), begin_of(part + 1)};
}

Result<Shard> parse_shard(std::string_view text) {
  Shard shard;
  const char* const end = text.data() + text.size();
  const auto index = std::from_chars(text.data(), end, shard.index);
  if (index.ec == std::errc() && index.ptr != end && *index.ptr == '/') {
    const auto count = std::from_chars(index.ptr + 1, end, shard.count);
    if (count.ec == std::errc() && count.ptr == end && shard.index >= 1 &&
        shard.index <= shard.count && shard.count <= kMaxShards) {
      return shard;
    }
  }
  return Error{
      ErrorCode::kInvalidArgument,
      fmt::format("shard '{}': wanted I/N with 1 <= I <= N, as in 1/4", text.substr(0, 40))};
}

std::string to_string(const Shard& shard) {
  return fmt::format("{}/{}", shard.index, shard.count);
}

}  // namespace contra4
