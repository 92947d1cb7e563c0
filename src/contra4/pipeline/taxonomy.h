// Categories of questions: their names, what they mean, and how a reply names one.
#pragma once

#include <cstddef>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "contra4/base/error.h"

namespace contra4::pipeline {

struct Category {
  std::string name;
  std::string description;            // a sentence or two; may be empty
  std::vector<std::string> examples;  // questions that belong to it
};

// At least two, no two of the same name.
struct Taxonomy {
  std::vector<Category> categories;
};

// The nine names of the released test set: src/contra4/pipeline/taxonomy.yaml.
Taxonomy default_taxonomy();

// YAML: categories, a list of {name, description, examples}. kInvalidArgument names what is wrong;
// `what` names the text.
Result<Taxonomy> parse_taxonomy(std::string_view text, std::string_view what);
// Throws kNotFound, kInvalidArgument.
Taxonomy read_taxonomy(const std::filesystem::path& path);

// The whole of it, for settings: a changed word makes another step.
std::string to_json(const Taxonomy& taxonomy);

// Which category a reply names: {"answer": NAME}, the name itself in any case and punctuation and
// with a slip or two in its spelling, its number in the list ("3", "3."), or a first line that
// begins with one name or holds exactly one of them. Empty for any other reply.
std::optional<std::size_t> find_category(const Taxonomy& taxonomy, std::string_view reply);

// A reply's own words for a category: its first line without quotes, "Category:" before it and
// punctuation after it; empty for a reply without words or above 80 bytes.
std::string free_category(std::string_view reply);

}  // namespace contra4::pipeline
