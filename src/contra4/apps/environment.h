// The process environment, read in one place. Secrets come only from here and are never printed.
#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <string>

namespace contra4::apps {

// A variable's value; empty when it is unset or empty. A function, so that tests bring their own.
using Environment = std::function<std::optional<std::string>(const std::string& name)>;

Environment process_environment();

// CONTRA4_CACHE, else XDG_CACHE_HOME/contra4, else HOME/.cache/contra4, else ./.contra4-cache.
std::filesystem::path cache_folder(const Environment& environment);

// The MiniLM folder: CONTRA4_MINILM, else where set-up put it, else the cache. Throws kNotFound
// with what to do.
std::filesystem::path minilm_folder(const Environment& environment);

}  // namespace contra4::apps
