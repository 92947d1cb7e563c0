#include "contra4/scoring/shared_media.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <string>
#include <unordered_map>

#include <fmt/format.h>

#include "contra4/base/error.h"

namespace contra4::scoring {

namespace {

// A set of at most kMaxScenes media by number, ascending; unused places hold kNoMedium.
using MediaSet = std::array<std::uint32_t, kMaxScenes>;
constexpr std::uint32_t kNoMedium = UINT32_MAX;

struct MediaSetHash {
  std::size_t operator()(const MediaSet& set) const noexcept {
    std::uint64_t hash = 0;
    for (const std::uint32_t medium : set) {
      hash = (hash ^ medium) * 0x9e3779b97f4a7c15ULL;
      hash ^= hash >> 29;
    }
    return static_cast<std::size_t>(hash);
  }
};

}  // namespace

SharedMedia::SharedMedia(std::span<const Item> items) : own_(items.size(), 0.0) {
  std::unordered_map<std::string, std::uint32_t> number_of;
  std::unordered_map<MediaSet, std::uint32_t, MediaSetHash> set_of;
  std::vector<std::vector<std::uint32_t>> holders;  // per set, items
  std::vector<double> signs;                        // per set
  std::vector<std::uint32_t> media;
  std::string key;
  for (std::size_t i = 0; i < items.size(); ++i) {
    if (items[i].num_scenes() > kMaxScenes) {
      throw Exception(
          ErrorCode::kInvalidArgument,
          fmt::format("[shared media] item '{}' has {} scenes, at most {} can be scored",
                      items[i].id.text, items[i].num_scenes(), kMaxScenes));
    }
    media.clear();
    for (const Scene& scene : items[i].scenes) {
      key.assign(scene.source).push_back('\x1f');
      key += scene.id.text;
      media.push_back(
          number_of.try_emplace(key, static_cast<std::uint32_t>(number_of.size())).first->second);
    }
    std::sort(media.begin(), media.end());
    media.erase(std::unique(media.begin(), media.end()), media.end());
    if (media.empty()) own_[i] = 1;  // related to itself alone

    for (unsigned bits = 1; bits < (1U << media.size()); ++bits) {
      MediaSet set;
      set.fill(kNoMedium);
      std::size_t size = 0;
      for (std::size_t m = 0; m < media.size(); ++m) {
        if ((bits >> m & 1U) != 0) set[size++] = media[m];
      }
      const auto [found, is_new] =
          set_of.try_emplace(set, static_cast<std::uint32_t>(holders.size()));
      if (is_new) {
        holders.emplace_back();
        signs.push_back(size % 2 == 1 ? 1.0 : -1.0);
      }
      holders[found->second].push_back(static_cast<std::uint32_t>(i));
    }
  }
  for (std::size_t s = 0; s < holders.size(); ++s) {
    if (holders[s].size() == 1) {
      own_[holders[s][0]] += signs[s];
      continue;
    }
    const std::size_t begin = members_.size();
    members_.insert(members_.end(), holders[s].begin(), holders[s].end());
    groups_.push_back({begin, members_.size(), signs[s]});
  }
}

double SharedMedia::sum_of_products(std::span<const double> values) const {
  CONTRA4_CHECK(values.size() == own_.size(), "one value per item");
  double sum = 0;
  for (std::size_t i = 0; i < own_.size(); ++i) sum += own_[i] * values[i] * values[i];
  for (const Group& group : groups_) {
    double group_sum = 0;
    for (std::size_t m = group.begin; m < group.end; ++m) group_sum += values[members_[m]];
    sum += group.sign * group_sum * group_sum;
  }
  return sum;
}

std::int64_t SharedMedia::num_ordered_pairs() const {
  return std::llround(sum_of_products(std::vector<double>(own_.size(), 1.0)));
}

}  // namespace contra4::scoring
