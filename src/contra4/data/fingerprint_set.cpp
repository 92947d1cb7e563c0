#include "contra4/data/fingerprint_set.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <limits>

namespace contra4::data {

namespace {

constexpr std::size_t kFirstSlots = 1024;

// The finisher of SplitMix64: every input bit reaches every output bit.
std::uint64_t mix(std::uint64_t z) {
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
  return z ^ (z >> 31);
}

struct Hash128 {
  std::uint64_t first = 0x9e3779b97f4a7c15ULL;
  std::uint64_t second = 0xc2b2ae3d27d4eb4fULL;

  void add(std::uint64_t word) {
    first = mix(first ^ word);
    second = mix(std::rotl(second, 23) + word * 0x9e3779b97f4a7c15ULL);
  }
};

Hash128 hash_of(std::string_view text) {
  Hash128 hash;
  hash.add(text.size());
  while (!text.empty()) {
    std::uint64_t word = 0;
    const std::size_t count = std::min(text.size(), sizeof(word));
    std::memcpy(&word, text.data(), count);
    hash.add(word);
    text.remove_prefix(count);
  }
  return hash;
}

}  // namespace

FingerprintSet::Entry& FingerprintSet::find_slot(std::uint64_t hash, std::uint32_t more_hash) {
  const std::size_t mask = slots_.size() - 1;
  std::size_t at = static_cast<std::size_t>(hash) & mask;
  while (slots_[at].row != 0 && (slots_[at].hash != hash || slots_[at].more_hash != more_hash)) {
    at = (at + 1) & mask;
  }
  return slots_[at];
}

void FingerprintSet::grow() {
  std::vector<Entry> old(slots_.empty() ? kFirstSlots : slots_.size() * 2);
  old.swap(slots_);
  for (const Entry& entry : old) {
    if (entry.row != 0) find_slot(entry.hash, entry.more_hash) = entry;
  }
}

std::optional<std::uint64_t> FingerprintSet::insert(std::string_view text, std::uint64_t row) {
  if ((size_ + 1) * 4 > slots_.size() * 3) grow();
  const Hash128 hash = hash_of(text);
  const auto more_hash = static_cast<std::uint32_t>(hash.second);
  Entry& slot = find_slot(hash.first, more_hash);
  if (slot.row != 0) return slot.row;
  constexpr std::uint64_t kLastRow = std::numeric_limits<std::uint32_t>::max();
  slot = {hash.first, more_hash, static_cast<std::uint32_t>(std::min(row, kLastRow))};
  ++size_;
  return std::nullopt;
}

}  // namespace contra4::data
