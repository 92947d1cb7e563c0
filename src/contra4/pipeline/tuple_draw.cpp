#include "contra4/pipeline/tuple_draw.h"

#include <algorithm>
#include <cstring>
#include <numeric>

#include <fmt/format.h>

#include "contra4/base/error.h"
#include "contra4/base/hash.h"
#include "contra4/base/random.h"

namespace contra4::pipeline {

namespace {

// Further scenes tried for one first scene, before it is drawn anew as well.
constexpr int kDrawsPerFirstScene = 32;
// Tuples whose queries the published draw searches for at a time.
constexpr std::int64_t kLookAhead = 8192;
constexpr std::size_t kTuplesBetweenLooks = 1024;

std::uint32_t medium_of(const Corpus& corpus, Modality modality, std::uint32_t entry) {
  return corpus.pool(modality).media[entry];
}

// The set of media as text for a hash set; `has_repeat` says whether one stood in it twice.
std::string media_set(const DrawContext& context, const Combination& combination,
                      std::span<const std::uint32_t> tuple, bool& has_repeat) {
  std::vector<std::uint32_t> media;
  for (std::size_t i = 0; i < tuple.size(); ++i) {
    media.push_back(medium_of(context.corpus, modality_of_scene(combination, i), tuple[i]));
  }
  std::sort(media.begin(), media.end());
  const auto end = std::unique(media.begin(), media.end());
  has_repeat = end != media.end();
  media.erase(end, media.end());
  std::string key(media.size() * sizeof(std::uint32_t), '\0');
  std::memcpy(key.data(), media.data(), key.size());
  return key;
}

void stop_if_asked(const DrawContext& context) {
  if (context.stop.stop_requested()) throw Exception(ErrorCode::kCancelled, "interrupted");
}

// The default way of drawing, for one combination.
class CombinationDraw {
 public:
  CombinationDraw(const DrawContext& context, const CombinationPlan& plan, DrawCounts& counts)
      : context_(context),
        options_(context.options),
        modalities_(plan.modalities),
        counts_(counts),
        random_(stable_hash64(fmt::format(
            "sample/{}/{}/{}/{}",
            options_.seed.substr(
                std::min(options_.seed.find_first_not_of('0'), options_.seed.size() - 1)),
            to_string(options_.strategy), options_.split, combination_name(plan.modalities)))),
        pending_(static_cast<std::size_t>(plan.count)) {
    std::iota(pending_.begin(), pending_.end(), std::size_t{0});
    made_.resize(pending_.size());
  }

  DrawnTuples draw() {
    while (!pending_.empty() && !gave_up()) draw_round();
    DrawnTuples tuples;
    for (const auto& tuple : made_) {
      if (!tuple.empty()) tuples.add(tuple);
    }
    return tuples;
  }

 private:
  bool gave_up() const { return draws_in_vain_ >= kDrawsBeforeGivingUp; }

  // A first scene for every tuple that has none yet, so that what has to be searched for is known
  // at once; then further ones for each.
  void draw_round() {
    const std::uint64_t pool = context_.corpus.pool(modalities_[0]).entries.size();
    std::vector<std::uint32_t> firsts(pending_.size());
    for (std::uint32_t& first : firsts) first = static_cast<std::uint32_t>(random_.below(pool));
    if (options_.strategy == Strategy::kSimilarity) {
      for (std::size_t i = 1; i < modalities_.size(); ++i) {
        context_.neighbors->find(modalities_[0], modalities_[i], firsts);
      }
    }
    std::vector<std::size_t> still_pending;
    for (std::size_t i = 0; i < pending_.size(); ++i) {
      if (i % kTuplesBetweenLooks == 0) look_around();
      if (gave_up() || !fill(pending_[i], firsts[i])) still_pending.push_back(pending_[i]);
    }
    pending_ = std::move(still_pending);
  }

  void look_around() const {
    stop_if_asked(context_);
    if (context_.progress) context_.progress(num_made_);
  }

  bool fill(std::size_t slot, std::uint32_t first) {
    for (int draw = 0; draw < kDrawsPerFirstScene && !gave_up(); ++draw) {
      tuple_.assign(1, first);
      if (draw_further() && is_allowed()) {
        made_[slot] = tuple_;
        ++num_made_;
        draws_in_vain_ = 0;
        return true;
      }
      ++draws_in_vain_;
    }
    return false;
  }

  bool draw_further() {
    for (std::size_t i = 1; i < modalities_.size(); ++i) {
      if (options_.strategy == Strategy::kRandom) {
        const std::uint64_t pool = context_.corpus.pool(modalities_[i]).entries.size();
        tuple_.push_back(static_cast<std::uint32_t>(random_.below(pool)));
        continue;
      }
      const auto list = context_.neighbors->list(modalities_[0], modalities_[i], tuple_[0]);
      // Scores fall along the list, so that those within both bounds are a stretch of it.
      std::size_t begin = 0;
      std::size_t end = list.entries.size();
      while (begin < end && is_above_most(list.scores[begin])) ++begin;
      while (begin < end && is_below_least(list.scores[end - 1])) --end;
      if (begin == end) {
        const bool all_too_similar = !list.scores.empty() && is_above_most(list.scores.back());
        ++(all_too_similar ? counts_.too_similar : counts_.not_similar);
        return false;
      }
      tuple_.push_back(list.entries[begin + random_.below(end - begin)]);
    }
    return true;
  }

  bool is_above_most(float score) const {
    return options_.max_similarity && static_cast<double>(score) > *options_.max_similarity;
  }
  bool is_below_least(float score) const {
    return options_.min_similarity && static_cast<double>(score) < *options_.min_similarity;
  }

  bool has_allowed_similarities() {
    if (!options_.max_similarity && !options_.min_similarity) return true;
    for (std::size_t i = 1; i < tuple_.size(); ++i) {
      for (std::size_t j = 0; j < i; ++j) {
        const float score =
            context_.neighbors->cosine(modalities_[j], tuple_[j], modalities_[i], tuple_[i]);
        if (is_above_most(score)) return ++counts_.too_similar, false;
        if (j == 0 && is_below_least(score)) return ++counts_.not_similar, false;
      }
    }
    return true;
  }

  bool is_allowed() {
    bool has_repeat = false;
    std::string key = media_set(context_, modalities_, tuple_, has_repeat);
    if (has_repeat && !options_.allow_same_medium) return ++counts_.same_medium, false;
    if (seen_.contains(key)) return ++counts_.seen_before, false;
    if (!has_allowed_similarities()) return false;
    seen_.insert(std::move(key));
    return true;
  }

  const DrawContext& context_;
  const SampleOptions& options_;
  const Combination& modalities_;
  DrawCounts& counts_;
  Random random_;
  std::vector<std::size_t> pending_;  // tuples without scenes
  std::vector<std::vector<std::uint32_t>> made_;
  std::int64_t num_made_ = 0;
  std::int64_t draws_in_vain_ = 0;
  std::vector<std::uint32_t> tuple_;
  std::unordered_set<std::string> seen_;
};

}  // namespace

Modality modality_of_scene(const Combination& combination, std::size_t scene) {
  const std::size_t size = combination.size();
  return scene < size ? combination[scene] : combination[1 + (scene - size) % (size - 1)];
}

DrawnTuples draw_combination(const DrawContext& context, const CombinationPlan& plan,
                             DrawCounts& counts) {
  return CombinationDraw(context, plan, counts).draw();
}

PublishedDraw::PublishedDraw(const DrawContext& context)
    : context_(context), random_(PythonRandom::seeded(context.options.seed).value()) {
  random_.sample(context.options.compat_population, kPublishedTrainingDraw);
}

std::uint64_t PublishedDraw::num_choices(const CombinationPlan& plan, std::size_t scene) const {
  const Modality modality = plan.modalities[scene];
  return context_.options.strategy == Strategy::kRandom
             ? context_.corpus.pool(modality).entries.size()
             : context_.neighbors->list_size(modality);
}

void PublishedDraw::draw_further(const CombinationPlan& plan, PythonRandom& random,
                                 std::uint32_t first, std::vector<std::uint32_t>& tuple) const {
  for (std::size_t i = 1; i < plan.modalities.size(); ++i) {
    const auto choice = static_cast<std::uint32_t>(random.randbelow(num_choices(plan, i)));
    if (context_.options.strategy == Strategy::kRandom) {
      tuple.push_back(choice);
    } else {
      const auto list = context_.neighbors->list(plan.modalities[0], plan.modalities[i], first);
      tuple.push_back(list.entries[choice]);
    }
  }
}

void PublishedDraw::search_for_next(const CombinationPlan& plan, std::int64_t tuples) const {
  PythonRandom ahead = random_;
  const auto first = static_cast<std::uint32_t>(
      ahead.randbelow(context_.corpus.pool(plan.modalities[0]).entries.size()));
  for (std::size_t i = 1; i < plan.modalities.size(); ++i) {
    if (!context_.neighbors->has(plan.modalities[0], plan.modalities[i], first)) {
      return look_ahead(plan, tuples);
    }
  }
}

// How many numbers a tuple takes does not depend on what the neighbours are, so that the next first
// scenes are known before their neighbours are: as long as no tuple occurs twice.
void PublishedDraw::look_ahead(const CombinationPlan& plan, std::int64_t tuples) const {
  PythonRandom random = random_;
  const std::uint64_t pool = context_.corpus.pool(plan.modalities[0]).entries.size();
  std::vector<std::uint32_t> firsts;
  for (std::int64_t i = 0; i < std::min(tuples, kLookAhead); ++i) {
    firsts.push_back(static_cast<std::uint32_t>(random.randbelow(pool)));
    for (std::size_t j = 1; j < plan.modalities.size(); ++j) random.randbelow(num_choices(plan, j));
  }
  for (std::size_t j = 1; j < plan.modalities.size(); ++j) {
    context_.neighbors->find(plan.modalities[0], plan.modalities[j], firsts);
  }
}

DrawnTuples PublishedDraw::draw(const CombinationPlan& plan, DrawCounts& counts) {
  const bool searches = context_.options.strategy == Strategy::kSimilarity;
  const std::uint64_t pool = context_.corpus.pool(plan.modalities[0]).entries.size();
  DrawnTuples tuples;
  std::vector<std::uint32_t> tuple;
  for (std::int64_t i = 0; i < plan.count; ++i) {
    stop_if_asked(context_);
    if (context_.progress && i % static_cast<std::int64_t>(kTuplesBetweenLooks) == 0) {
      context_.progress(i);
    }
    if (searches) search_for_next(plan, plan.count - i);
    const auto first = static_cast<std::uint32_t>(random_.randbelow(pool));
    tuple.assign(1, first);
    draw_further(plan, random_, first, tuple);
    bool has_repeat = false;
    std::string key = media_set(context_, plan.modalities, tuple, has_repeat);
    std::int64_t draws_in_vain = 0;
    while (seen_.contains(key)) {
      ++counts.seen_before;
      if (++draws_in_vain > kDrawsBeforeGivingUp) {
        throw Exception(ErrorCode::kInvalidArgument,
                        fmt::format("--compat: {} has no more than {} tuples that are not there "
                                    "already, and the published sampler would never end; ask for "
                                    "fewer",
                                    combination_name(plan.modalities), tuples.size()));
      }
      draw_further(plan, random_, first, tuple);
      key = media_set(context_, plan.modalities, tuple, has_repeat);
    }
    seen_.insert(std::move(key));
    tuples.add(tuple);
  }
  return tuples;
}

}  // namespace contra4::pipeline
