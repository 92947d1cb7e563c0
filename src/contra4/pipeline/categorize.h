// The last label of a question: which of a taxonomy's categories it belongs to, as a language model
// says or by the nearest embedding.
#pragma once

#include <cstdint>
#include <filesystem>
#include <stop_token>
#include <string>
#include <string_view>

#include "contra4/base/error.h"
#include "contra4/inference/text_generator.h"
#include "contra4/pipeline/embedding_source.h"
#include "contra4/pipeline/stage.h"
#include "contra4/pipeline/taxonomy.h"

namespace contra4::pipeline {

// What a model is shown; {categories} and {question} are filled in.
struct CategoryPrompt {
  std::string system;
  std::string user;
};
// The two of prompts/category.yaml: choose one of the taxonomy, or use words of your own.
struct CategoryPrompts {
  CategoryPrompt choose;
  CategoryPrompt free;
};
CategoryPrompts default_category_prompts();
// kInvalidArgument names what is wrong; `what` names the text.
Result<CategoryPrompts> parse_category_prompts(std::string_view text, std::string_view what);
// category.yaml of that folder, the default one when it has none. Throws kInvalidArgument.
CategoryPrompts read_category_prompts(const std::filesystem::path& folder);

struct CategorizeOptions {
  Taxonomy taxonomy = default_taxonomy();
  bool free_text = false;  // the model's own words instead of a choice from the taxonomy
  CategoryPrompts prompts = default_category_prompts();
  Sampling sampling{.temperature = 0.3, .top_p = 0.9, .max_tokens = 30, .seed = {}, .stop = {}};
  std::uint64_t seed = 0;  // each request's own is made of it, the item's id and the attempt
  int max_attempts = 3;    // replies that name no category, after which a question stays without
};

// For StageConfig. `model_json` describes the model or the embedding.
std::string settings_json(const CategorizeOptions& options, std::string_view model_json);
std::string settings_json(const Taxonomy& taxonomy, std::string_view embedding_json);

// The messages of one request.
std::vector<Message> category_messages(const CategorizeOptions& options, std::string_view question);

// Both read `input` and write the stage's output, the same rows with `category`. A question that is
// left without one stays in the output, without the member; counts and notes name it. When requests
// got no reply nothing is written, and the next run asks those again. Throw kInvalidArgument naming
// a row that cannot be read, has no question or an id that occurred before.
StepOutcome categorize_by_model(Stage& stage, const std::filesystem::path& input,
                                TextGenerator& generator, const CategorizeOptions& options,
                                const StepProgressCallback& progress, std::stop_token stop);
// The category with the text (name and description, or an example) nearest to the question; the
// first of equals.
StepOutcome categorize_by_embedding(Stage& stage, const std::filesystem::path& input,
                                    EmbeddingSource& embeddings, const Taxonomy& taxonomy,
                                    const StepProgressCallback& progress, std::stop_token stop);

}  // namespace contra4::pipeline
