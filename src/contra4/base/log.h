// Words for people, to standard error: one event a line. Inner loops do not log; progress is apps'.
#pragma once

#include <string_view>
#include <utility>

#include <fmt/core.h>

namespace contra4::log {

enum class Level { kError, kWarning, kInfo, kDebug };

// Events above this level are dropped; kInfo at start. Call before threads start.
void set_level(Level level);
void write(Level level, std::string_view message);

template <class... Args>
void error(fmt::format_string<Args...> text, Args&&... args) {
  write(Level::kError, fmt::format(text, std::forward<Args>(args)...));
}
template <class... Args>
void warning(fmt::format_string<Args...> text, Args&&... args) {
  write(Level::kWarning, fmt::format(text, std::forward<Args>(args)...));
}
template <class... Args>
void info(fmt::format_string<Args...> text, Args&&... args) {
  write(Level::kInfo, fmt::format(text, std::forward<Args>(args)...));
}
template <class... Args>
void debug(fmt::format_string<Args...> text, Args&&... args) {
  write(Level::kDebug, fmt::format(text, std::forward<Args>(args)...));
}

}  // namespace contra4::log
