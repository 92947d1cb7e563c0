// How the tuples of one combination are drawn: by default each combination from a stream of its
// own, or all of them one after the other as the published script does. For sampler.cpp.
#pragma once

#include <cstdint>
#include <functional>
#include <stop_token>
#include <string>
#include <unordered_set>
#include <vector>

#include "contra4/base/python_random.h"
#include "contra4/pipeline/caption_neighbors.h"
#include "contra4/pipeline/corpus.h"
#include "contra4/pipeline/sampler.h"

namespace contra4::pipeline {

// The tuples of one combination, one behind the other.
class DrawnTuples {
 public:
  void add(std::span<const std::uint32_t> entries) {
    entries_.insert(entries_.end(), entries.begin(), entries.end());
    ends_.push_back(entries_.size());
  }
  std::size_t size() const { return ends_.size(); }
  std::span<const std::uint32_t> operator[](std::size_t index) const {
    const std::size_t begin = index == 0 ? 0 : ends_[index - 1];
    return std::span(entries_).subspan(begin, ends_[index] - begin);
  }

 private:
  std::vector<std::uint32_t> entries_;
  std::vector<std::size_t> ends_;
};

// Draws that were no use, by reason.
struct DrawCounts {
  std::int64_t seen_before = 0;  // that set of media is there already
  std::int64_t same_medium = 0;
  std::int64_t too_similar = 0;
  std::int64_t not_similar = 0;
  std::int64_t total() const { return seen_before + same_medium + too_similar + not_similar; }
};

// What both ways of drawing look at.
struct DrawContext {
  const SampleOptions& options;
  const Corpus& corpus;
  CaptionNeighbors* neighbors;                        // null unless needs_embeddings()
  std::function<void(std::int64_t tuples)> progress;  // of this combination so far
  std::stop_token stop;
};

// The modality of a tuple's scene: those of the combination, then, in a tuple that the published
// script made longer, the further ones again.
Modality modality_of_scene(const Combination& combination, std::size_t scene);

// Gives up on a combination when so many draws in a row made no tuple.
inline constexpr std::int64_t kDrawsBeforeGivingUp = 10'000;

// Throws kCancelled after a stop.
DrawnTuples draw_combination(const DrawContext& context, const CombinationPlan& plan,
                             DrawCounts& counts);

// One after the other, from the first combination on.
class PublishedDraw {
 public:
  explicit PublishedDraw(const DrawContext& context);
  DrawnTuples draw(const CombinationPlan& plan, DrawCounts& counts);

 private:
  void draw_further(const CombinationPlan& plan, PythonRandom& random, std::uint32_t first,
                    std::vector<std::uint32_t>& tuple) const;
  // Sees to it that the neighbours of the next first scene are known.
  void search_for_next(const CombinationPlan& plan, std::int64_t tuples) const;
  void look_ahead(const CombinationPlan& plan, std::int64_t tuples) const;
  std::uint64_t num_choices(const CombinationPlan& plan, std::size_t scene) const;

  const DrawContext& context_;
  PythonRandom random_;
  std::unordered_set<std::string> seen_;
};

}  // namespace contra4::pipeline
