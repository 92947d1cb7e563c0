#include "contra4/apps/progress.h"

#include <chrono>
#include <ostream>

#include <fmt/format.h>

#include "contra4/apps/output.h"

namespace contra4::apps {

namespace {

constexpr std::chrono::milliseconds kRedrawEvery{100};
constexpr std::chrono::seconds kLineEvery{30};

// A first answer that comes late, after a batch or a slow start, foretells nothing.
bool foretells(std::int64_t asked, std::int64_t total) {
  return asked >= 20 || 50 * asked >= total;
}

double share(std::int64_t part, std::int64_t whole) {
  return whole == 0 ? 0 : 100.0 * static_cast<double>(part) / static_cast<double>(whole);
}

}  // namespace

std::string progress_text(const eval::EvaluateProgress& progress, double elapsed_s) {
  const auto ended = progress.done + progress.failed + progress.unsupported + progress.not_shown;
  std::string text = fmt::format("{} of {} ({:.1f}%)", grouped(ended), grouped(progress.total),
                                 share(ended, progress.total));
  const auto asked = ended - progress.resumed;
  const double rate = elapsed_s > 0 ? static_cast<double>(asked) / elapsed_s : 0;
  const bool is_telling = rate > 0 && foretells(asked, progress.total - progress.resumed);
  if (is_telling) text += fmt::format(", {:.{}f} a second", rate, rate < 10 ? 1 : 0);
  if (progress.scored > 0) {
    text += fmt::format(", right {:.1f}%", share(progress.right, progress.scored));
  }
  if (progress.in_flight > 0) text += fmt::format(", {} in flight", grouped(progress.in_flight));
  if (progress.blocked > 0) text += fmt::format(", {} blocked", grouped(progress.blocked));
  if (progress.failed > 0) text += fmt::format(", {} failed", grouped(progress.failed));
  if (progress.unsupported > 0) {
    text += fmt::format(", {} unsupported", grouped(progress.unsupported));
  }
  if (is_telling && ended < progress.total) {
    text +=
        fmt::format(", {} left", duration_text(static_cast<double>(progress.total - ended) / rate));
  }
  return text;
}

ProgressLine::ProgressLine(Context& context, const Clock& clock)
    : context_(context), clock_(clock), start_(clock.now()), last_shown_(start_) {}

ProgressLine::~ProgressLine() {
  clear();
}

void ProgressLine::update(const eval::EvaluateProgress& progress) {
  if (context_.quiet) return;
  const auto now = clock_.now();
  if (context_.err_is_terminal) {
    if (is_drawn_ && now - last_shown_ < kRedrawEvery) return;
  } else if (now - last_shown_ < kLineEvery) {
    return;
  }
  last_shown_ = now;
  const std::string text =
      progress_text(progress, std::chrono::duration<double>(now - start_).count());
  if (context_.err_is_terminal) {
    context_.err << "\r\x1b[K" << text << std::flush;
    is_drawn_ = true;
  } else {
    context_.err << text << std::endl;
  }
}

void ProgressLine::clear() {
  if (is_drawn_) context_.err << "\r\x1b[K" << std::flush;
  is_drawn_ = false;
}

}  // namespace contra4::apps
