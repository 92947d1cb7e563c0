#include "contra4/apps/output.h"

#include <cmath>
#include <ostream>

#include <fmt/format.h>

#include "contra4/io/file.h"
#include "contra4/report/figures.h"

namespace contra4::apps {

void write_result(Context& context, const std::optional<std::filesystem::path>& file,
                  std::string_view text) {
  if (file) {
    io::write_file_atomically(*file, text);
  } else {
    context.out << text << std::flush;
  }
}

std::string grouped(std::int64_t number) {
  return report::with_thousands(number);
}

std::string counted(std::int64_t number, std::string_view noun) {
  return fmt::format("{} {}{}", grouped(number), noun, number == 1 ? "" : "s");
}

std::string duration_text(double seconds) {
  const auto whole = static_cast<std::int64_t>(std::llround(std::fmax(seconds, 0)));
  if (whole < 3600) return fmt::format("{}:{:02}", whole / 60, whole % 60);
  return fmt::format("{}:{:02}:{:02}", whole / 3600, whole / 60 % 60, whole % 60);
}

}  // namespace contra4::apps
