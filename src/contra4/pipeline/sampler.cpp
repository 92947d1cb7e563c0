#include "contra4/pipeline/sampler.h"

#include <algorithm>
#include <memory>
#include <utility>

#include <fmt/format.h>

#include "contra4/base/error.h"
#include "contra4/base/python_random.h"
#include "contra4/data/item_writer.h"
#include "contra4/pipeline/caption_neighbors.h"
#include "contra4/pipeline/tuple_draw.h"

namespace contra4::pipeline {

namespace {

// Tuples of a combination whose number in the whole lies in the shard's share.
struct Share {
  std::int64_t first = 0;  // in the combination
  std::int64_t last = 0;
  bool is_empty() const { return first >= last; }
  std::int64_t size() const { return is_empty() ? 0 : last - first; }
};

class Sampler {
 public:
  Sampler(const SampleOptions& options, const Corpus& corpus, const SampleTools& tools,
          const StepProgressCallback& progress, std::stop_token stop)
      : options_(options), corpus_(corpus), progress_(progress), stop_(std::move(stop)) {
    std::int64_t total = 0;
    for (const CombinationPlan& plan : options_.plans) total += plan.count;
    const auto [first, last] = options_.shard.range(static_cast<std::size_t>(total));
    first_ = static_cast<std::int64_t>(first);
    last_ = static_cast<std::int64_t>(last);
    require_modalities();
    if (needs_embeddings(options_)) {
      CONTRA4_CHECK(tools.embeddings != nullptr && tools.search != nullptr,
                    "similarity needs vectors and a search");
      neighbors_ = std::make_unique<CaptionNeighbors>(
          corpus_, *tools.embeddings, *tools.search, options_.top_k,
          [this](const std::string& what, std::int64_t done, std::int64_t amount) {
            report(what, done, amount);
          },
          stop_);
    }
  }

  StepOutcome run(const std::filesystem::path& output) {
    const auto writer = data::create_items(output, data::Schema::kGenerated);
    DrawContext context{.options = options_,
                        .corpus = corpus_,
                        .neighbors = neighbors_.get(),
                        .progress = [this](std::int64_t tuples) { report_tuples(tuples); },
                        .stop = stop_};
    std::unique_ptr<PublishedDraw> published;
    if (options_.compat) published = std::make_unique<PublishedDraw>(context);
    for (const CombinationPlan& plan : options_.plans) {
      const Share share = share_of(plan);
      // What comes before a shard moves the published generator on; what comes behind does not.
      if (options_.compat ? plan.first >= last_ : share.is_empty()) continue;
      current_ = combination_name(plan.modalities);
      if (neighbors_) {
        for (const Modality modality : plan.modalities) neighbors_->embed(modality);
      }
      DrawCounts counts;
      const DrawnTuples tuples =
          published ? published->draw(plan, counts) : draw_combination(context, plan, counts);
      if (!share.is_empty()) write(*writer, plan, share, tuples, counts);
    }
    writer->commit();
    return outcome();
  }

 private:
  void require_modalities() const {
    for (const CombinationPlan& plan : options_.plans) {
      for (const Modality modality : plan.modalities) {
        if (!corpus_.pool(modality).entries.empty()) continue;
        throw Exception(ErrorCode::kInvalidArgument,
                        fmt::format("no captions of the modality {}, which {} needs",
                                    to_string(modality), combination_name(plan.modalities)));
      }
    }
  }

  Share share_of(const CombinationPlan& plan) const {
    return {std::clamp<std::int64_t>(first_ - plan.first, 0, plan.count),
            std::clamp<std::int64_t>(last_ - plan.first, 0, plan.count)};
  }

  void report(const std::string& note, std::int64_t done, std::int64_t total) const {
    if (!progress_) return;
    StepProgress progress;
    progress.done = done;
    progress.total = total;
    progress.note = note;
    progress_(progress);
  }
  void report_tuples(std::int64_t in_combination) const {
    report(fmt::format("tuples, {}", current_), num_written_ + in_combination, last_ - first_);
  }

  void write(data::ItemWriter& writer, const CombinationPlan& plan, const Share& share,
             const DrawnTuples& tuples, const DrawCounts& counts) {
    const auto made = static_cast<std::int64_t>(tuples.size());
    Item item;
    item.selection_type = to_string(options_.strategy);
    item.q_type = fmt::format("mc_{}", plan.modalities.size());
    for (std::int64_t i = share.first; i < std::min(share.last, made); ++i) {
      if (i % 1024 == 0 && stop_.stop_requested()) {
        throw Exception(ErrorCode::kCancelled, "interrupted");
      }
      item.id = {fmt::format("{}_{}", item.selection_type, plan.first + i), false};
      item.scenes.clear();
      const auto tuple = tuples[static_cast<std::size_t>(i)];
      for (std::size_t scene = 0; scene < tuple.size(); ++scene) {
        const Modality modality = modality_of_scene(plan.modalities, scene);
        item.scenes.push_back(corpus_.pool(modality).entries[tuple[scene]]);
      }
      num_longer_ += tuple.size() > plan.modalities.size() ? 1 : 0;
      writer.write(item);
      ++num_written_;
    }
    redrawn_ += counts.total();
    if (made < plan.count) tell_exhaustion(plan, made, counts);
    num_missing_ += share.size() - std::clamp<std::int64_t>(made - share.first, 0, share.size());
  }

  void tell_exhaustion(const CombinationPlan& plan, std::int64_t made, const DrawCounts& counts) {
    const std::pair<std::int64_t, std::string_view> reasons[] = {
        {counts.seen_before, "were there already"},
        {counts.same_medium, "had a medium twice (--allow-same-medium)"},
        {counts.too_similar, "had captions too much alike (--max-similarity)"},
        {counts.not_similar, "had captions not enough alike (--min-similarity)"}};
    std::string text;
    for (const auto& [count, reason] : reasons) {
      if (count > 0) text += fmt::format("{}{} {}", text.empty() ? "" : ", ", count, reason);
    }
    notes_.push_back(fmt::format("{} ran out: {} of {} tuples were found; of the draws in vain {}",
                                 combination_name(plan.modalities), made, plan.count, text));
  }

  StepOutcome outcome() const {
    StepOutcome outcome;
    for (const Modality modality : kModalities) {
      const auto size = static_cast<std::int64_t>(corpus_.pool(modality).entries.size());
      if (size > 0)
        outcome.counts.emplace_back(fmt::format("{} captions", to_string(modality)), size);
    }
    outcome.counts.emplace_back("tuples asked for", last_ - first_);
    if (num_missing_ > 0) outcome.counts.emplace_back("not found", num_missing_);
    outcome.counts.emplace_back("draws in vain", redrawn_);
    if (num_longer_ > 0) {
      outcome.counts.emplace_back("longer than planned", num_longer_);
      outcome.notes.emplace_back(
          "as in the published data, a tuple that was there already has further scenes");
    }
    outcome.counts.emplace_back("tuples", num_written_);
    outcome.notes.insert(outcome.notes.end(), notes_.begin(), notes_.end());
    return outcome;
  }

  const SampleOptions& options_;
  const Corpus& corpus_;
  const StepProgressCallback& progress_;
  std::stop_token stop_;
  std::unique_ptr<CaptionNeighbors> neighbors_;
  std::int64_t first_ = 0;  // of the shard, in the whole
  std::int64_t last_ = 0;
  std::string current_;
  std::int64_t num_written_ = 0;
  std::int64_t num_missing_ = 0;
  std::int64_t num_longer_ = 0;
  std::int64_t redrawn_ = 0;
  std::vector<std::string> notes_;
};

}  // namespace

std::vector<std::uint64_t> published_training_draw(std::string_view seed,
                                                   std::uint64_t population) {
  if (population < kPublishedTrainingDraw) {
    throw Exception(ErrorCode::kInvalidArgument,
                    fmt::format("the published sampler draws {} entries of the 660K file, which "
                                "has {}; is it cut?",
                                kPublishedTrainingDraw, population));
  }
  auto random = PythonRandom::seeded(seed);
  if (!random) throw Exception(random.error());
  return random->sample(population, kPublishedTrainingDraw);
}

bool needs_embeddings(const SampleOptions& options) {
  return options.strategy == Strategy::kSimilarity || options.max_similarity.has_value() ||
         options.min_similarity.has_value();
}

StepOutcome sample(const SampleOptions& options, const Corpus& corpus, const SampleTools& tools,
                   const std::filesystem::path& output, const StepProgressCallback& progress,
                   std::stop_token stop) {
  try {
    return Sampler(options, corpus, tools, progress, std::move(stop)).run(output);
  } catch (const Exception& exception) {
    if (exception.code() != ErrorCode::kCancelled) throw;
    StepOutcome outcome;
    outcome.is_cancelled = true;
    return outcome;
  }
}

}  // namespace contra4::pipeline
