// Step 1: tuples of captioned media of different modalities.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "contra4/base/shard.h"
#include "contra4/inference/neighbor_search.h"
#include "contra4/pipeline/corpus.h"
#include "contra4/pipeline/embedding_source.h"
#include "contra4/pipeline/sample_plan.h"
#include "contra4/pipeline/stage.h"
#include "contra4/pipeline/step_files.h"

namespace contra4::pipeline {

struct SampleOptions {
  Strategy strategy = Strategy::kRandom;
  std::string split = "test";
  std::string seed = "123";  // decimal digits, any number of them
  std::vector<CombinationPlan> plans = {};
  // How many of the nearest captions of another modality one is chosen from.
  std::size_t top_k = 30;
  // Cosines of captions. No two scenes of a tuple are more alike than the one; every further scene
  // is at least as near to the first one as the other.
  std::optional<double> max_similarity = {};
  std::optional<double> min_similarity = {};
  bool allow_same_medium = false;  // twice in a tuple
  Shard shard{};                   // of the tuples asked for
  // As the published script, draw by draw: one generator for all combinations, a tuple that was
  // there before is made longer instead of redrawn, no conditions. Source:
  // artemisp/contra4-fork 8492529, src/data_generation.
  bool compat = false;
  std::uint64_t compat_population = 0;  // records of the 660K file
};

// Entries that the published script draws from the 660K file before anything else.
inline constexpr std::uint64_t kPublishedTrainingDraw = 60'000;
// Their indices in the order of the draw, with that seed. Throws kInvalidArgument when the file has
// fewer or the seed is none.
std::vector<std::uint64_t> published_training_draw(std::string_view seed, std::uint64_t population);

// For vectors and searches; both null where nothing asks for similarity.
struct SampleTools {
  EmbeddingSource* embeddings = nullptr;
  const NeighborSearch* search = nullptr;
};
bool needs_embeddings(const SampleOptions& options);

// Writes the tuples. Every combination has a stream of random numbers of its own, so that a shard
// makes only those that it touches; ids number the tuples asked for, so that a combination that
// runs out leaves a gap. Counts end with "tuples". Throws kInvalidArgument for a combination with a
// modality that the corpus lacks.
StepOutcome sample(const SampleOptions& options, const Corpus& corpus, const SampleTools& tools,
                   const std::filesystem::path& output, const StepProgressCallback& progress,
                   std::stop_token stop);

}  // namespace contra4::pipeline
