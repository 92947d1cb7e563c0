#include "contra4/apps/environment.h"

#include <cstdlib>
#include <vector>

#include <fmt/format.h>

#include "contra4/base/error.h"

namespace contra4::apps {

Environment process_environment() {
  return [](const std::string& name) -> std::optional<std::string> {
    const char* value =
        std::getenv(name.c_str());  // NOLINT(concurrency-mt-unsafe): nobody sets any
    if (value == nullptr || *value == '\0') return std::nullopt;
    return std::string(value);
  };
}

std::filesystem::path cache_folder(const Environment& environment) {
  if (const auto folder = environment("CONTRA4_CACHE")) return *folder;
  if (const auto folder = environment("XDG_CACHE_HOME")) {
    return std::filesystem::path(*folder) / "contra4";
  }
  if (const auto home = environment("HOME")) {
    return std::filesystem::path(*home) / ".cache" / "contra4";
  }
  return ".contra4-cache";
}

std::filesystem::path minilm_folder(const Environment& environment) {
  if (const auto folder = environment("CONTRA4_MINILM")) {
    if (std::filesystem::exists(std::filesystem::path(*folder) / "model.safetensors"))
      return *folder;
    throw Exception(ErrorCode::kNotFound,
                    fmt::format("CONTRA4_MINILM={}: no model.safetensors in it", *folder));
  }
  const std::vector<std::filesystem::path> candidates = {CONTRA4_DEFAULT_MINILM,
                                                         cache_folder(environment) / "minilm"};
  for (const auto& folder : candidates) {
    if (std::filesystem::exists(folder / "model.safetensors")) return folder;
  }
  throw Exception(ErrorCode::kNotFound,
                  "the weights of all-MiniLM-L6-v2 are not here: run `make setup`, or set "
                  "CONTRA4_MINILM to a folder with model.safetensors, vocab.txt and config.json");
}

}  // namespace contra4::apps
