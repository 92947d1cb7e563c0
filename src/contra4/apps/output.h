// Where results go, and numbers as people read them.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "contra4/apps/command.h"

namespace contra4::apps {

// To the file, written aside and renamed, else to standard output.
void write_result(Context& context, const std::optional<std::filesystem::path>& file,
                  std::string_view text);

// "2,335".
std::string grouped(std::int64_t number);
// "1 item failed", "3 items failed": the noun takes an s.
std::string counted(std::int64_t number, std::string_view noun);
// "0:09", "2:05:00".
std::string duration_text(double seconds);

}  // namespace contra4::apps
