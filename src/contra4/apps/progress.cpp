#include "contra4/apps/progress.h"

#include <chrono>
#include <cmath>
#include <cstdint>
#include <initializer_list>
#include <ostream>
#include <string_view>
#include <utility>

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

// How fast it goes and how long it will take.
class Pace {
 public:
  // `ended` holds the `resumed` ones of earlier runs.
  Pace(std::int64_t ended, std::int64_t total, std::int64_t resumed, double elapsed_s)
      : ended_(ended), total_(total) {
    const auto asked = ended - resumed;
    rate_ = elapsed_s > 0 ? static_cast<double>(asked) / elapsed_s : 0;
    is_telling_ = rate_ > 0 && foretells(asked, total - resumed);
  }

  std::string so_far() const {
    std::string text =
        fmt::format("{} of {} ({:.1f}%)", grouped(ended_), grouped(total_), share(ended_, total_));
    if (is_telling_) text += fmt::format(", {:.{}f} a second", rate_, rate_ < 10 ? 1 : 0);
    return text;
  }
  std::string left() const {
    if (!is_telling_ || ended_ >= total_) return {};
    return fmt::format(", {} left", duration_text(static_cast<double>(total_ - ended_) / rate_));
  }

 private:
  std::int64_t ended_;
  std::int64_t total_;
  double rate_ = 0;
  bool is_telling_ = false;
};

std::string counts_text(std::initializer_list<std::pair<std::int64_t, std::string_view>> counts) {
  std::string text;
  for (const auto& [count, word] : counts) {
    if (count > 0) text += fmt::format(", {} {}", grouped(count), word);
  }
  return text;
}

}  // namespace

std::string progress_text(const eval::EvaluateProgress& progress, double elapsed_s) {
  const auto ended = progress.done + progress.failed + progress.unsupported + progress.not_shown;
  Pace pace(ended, progress.total, progress.resumed, elapsed_s);
  std::string text = pace.so_far();
  if (progress.scored > 0) {
    text += fmt::format(", right {:.1f}%", share(progress.right, progress.scored));
  }
  text += counts_text({{progress.in_flight, "in flight"},
                       {progress.blocked, "blocked"},
                       {progress.failed, "failed"},
                       {progress.unsupported, "unsupported"}});
  return text + pace.left();
}

std::string progress_text(const pipeline::StepProgress& progress, double elapsed_s) {
  Pace pace(progress.done + progress.failed, progress.total, progress.resumed, elapsed_s);
  std::string text = progress.note.empty() ? "" : progress.note + ": ";
  text += pace.so_far();
  text += counts_text({{progress.in_flight, "in flight"}, {progress.failed, "failed"}});
  return text + pace.left();
}

std::string progress_text(const FinetuneProgress& progress) {
  constexpr double kGigabyte = 1e9;
  std::string text =
      fmt::format("epoch {}, step {} of {} ({:.1f}%), loss {:.4f}, lr {:.2g}, gradient norm {:.3g}",
                  progress.epoch + 1, grouped(progress.step), grouped(progress.total_steps),
                  share(progress.step, progress.total_steps), progress.loss, progress.learning_rate,
                  progress.gradient_norm);
  if (progress.tokens_per_s > 0) {
    text += fmt::format(", {} tokens/s", grouped(std::llround(progress.tokens_per_s)));
  }
  if (progress.memory_bytes > 0) {
    text += fmt::format(", {:.1f} GB", static_cast<double>(progress.memory_bytes) / kGigabyte);
  }
  if (progress.seconds_left > 0 && progress.step < progress.total_steps) {
    text += fmt::format(", {} left", duration_text(progress.seconds_left));
  }
  return text;
}

ProgressLine::ProgressLine(Context& context, const Clock& clock)
    : context_(context), clock_(clock), start_(clock.now()), last_shown_(start_) {}

ProgressLine::~ProgressLine() {
  clear();
}

void ProgressLine::update(const eval::EvaluateProgress& progress) {
  if (is_due()) show(progress_text(progress, elapsed_s()));
}

void ProgressLine::update(const pipeline::StepProgress& progress) {
  if (is_due()) show(progress_text(progress, elapsed_s()));
}

void ProgressLine::update(const FinetuneProgress& progress) {
  if (is_due()) show(progress_text(progress));
}

bool ProgressLine::is_due() {
  if (context_.quiet) return false;
  const auto now = clock_.now();
  const bool is_due = context_.err_is_terminal ? !is_drawn_ || now - last_shown_ >= kRedrawEvery
                                               : now - last_shown_ >= kLineEvery;
  if (is_due) last_shown_ = now;
  return is_due;
}

double ProgressLine::elapsed_s() const {
  return std::chrono::duration<double>(last_shown_ - start_).count();
}

void ProgressLine::show(const std::string& text) {
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
