#include "contra4/report/funnel.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "contra4/report/escape.h"
#include "contra4/report/figures.h"
#include "contra4/report/table.h"

namespace contra4::report {

namespace {

// In pixels of the picture's own scale.
constexpr int kMargin = 24;
constexpr int kTitleHeight = 62;
constexpr int kHeaderHeight = 26;
constexpr int kRowHeight = 30;
constexpr int kBarHeight = 18;
constexpr int kBarWidth = 230;
constexpr int kNumberWidth = 128;
constexpr int kColumnGap = 20;
constexpr int kMinLabelWidth = 90;
constexpr int kMaxLabelWidth = 240;
constexpr int kLetterWidth = 8;  // of a 14 px sans-serif, on the wide side
constexpr std::size_t kColors = 4;

std::string shortened(const std::string& text, std::size_t columns) {
  if (display_width(text) <= columns) return text;
  std::string kept;
  for (std::size_t i = 0; i < text.size();) {
    std::size_t length = 1;
    while (i + length < text.size() &&
           (static_cast<unsigned char>(text[i + length]) & 0xC0U) == 0x80U) {
      ++length;
    }
    if (display_width(kept + text.substr(i, length)) + 1 > columns) break;
    kept += text.substr(i, length);
    i += length;
  }
  return kept + "\u2026";
}

std::string description_of(std::span<const Funnel> funnels) {
  std::string text;
  for (const Funnel& funnel : funnels) {
    if (!text.empty()) text += ' ';
    text += funnel.strategy + ": ";
    for (std::size_t i = 0; i < funnel.steps.size(); ++i) {
      if (i > 0) text += ", ";
      text +=
          fmt::format("{} after {}", with_thousands(funnel.steps[i].count), funnel.steps[i].name);
    }
    text += '.';
  }
  return text;
}

struct Layout {
  int label_width = kMinLabelWidth;
  int width = 0;
  int height = 0;
  int column(std::size_t strategy) const {
    return kMargin + label_width +
           static_cast<int>(strategy) * (kBarWidth + kNumberWidth + kColumnGap);
  }
  int row(std::size_t step) const {
    return kTitleHeight + kHeaderHeight + static_cast<int>(step) * kRowHeight;
  }
};

Layout layout_of(std::span<const Funnel> funnels, std::span<const std::string> steps) {
  Layout layout;
  std::size_t widest = 0;
  for (const std::string& step : steps) widest = std::max(widest, display_width(step));
  layout.label_width =
      std::clamp(static_cast<int>(std::min<std::size_t>(widest, 100)) * kLetterWidth + 20,
                 kMinLabelWidth, kMaxLabelWidth);
  layout.width = layout.column(std::max<std::size_t>(1, funnels.size())) - kColumnGap + kMargin;
  layout.height = layout.row(steps.size()) + kMargin;
  return layout;
}

void append_cell(std::string& out, const Layout& layout, std::size_t strategy, std::size_t step,
                 const Funnel& funnel, std::optional<std::int64_t> count) {
  const int x = layout.column(strategy);
  const int middle = layout.row(step) + kRowHeight / 2;
  if (!count) {
    out += fmt::format("<text class=\"faint\" x=\"{}\" y=\"{}\">\u2013</text>\n", x, middle + 5);
    return;
  }
  // More than at the start would leave the column.
  const std::int64_t first = std::max<std::int64_t>(1, funnel.steps.front().count);
  const double share =
      std::clamp(static_cast<double>(*count) / static_cast<double>(first), 0.0, 1.0);
  const double width = *count > 0 ? std::max(1.5, share * kBarWidth) : 0;
  out += fmt::format(
      "<rect class=\"track\" x=\"{0}\" y=\"{1}\" width=\"{2}\" height=\"{3}\" rx=\"3\"/>\n"
      "<rect class=\"bar{4}\" x=\"{0}\" y=\"{1}\" width=\"{5:.1f}\" height=\"{3}\" rx=\"{6}\"/>\n",
      x, middle - kBarHeight / 2, kBarWidth, kBarHeight, strategy % kColors, width,
      width < 6 ? 0 : 3);
  out += fmt::format(
      "<text class=\"number\" x=\"{}\" y=\"{}\">{}<tspan class=\"faint\"> {}</tspan></text>\n",
      x + kBarWidth + 8, middle + 5, with_thousands(*count),
      funnel.steps.front().count > 0
          ? "(" + percent(static_cast<double>(*count) / static_cast<double>(first)) + "%)"
          : std::string());
}

// Light by default; a reader's dark setting turns it. The page's own background does not show.
constexpr std::string_view kStyle = R"(<style>
text { font: 14px -apple-system, "Segoe UI", "Helvetica Neue", Arial, "DejaVu Sans", sans-serif; fill: #1f2328; }
.title { font-size: 17px; font-weight: 600; }
.head { font-weight: 600; }
.faint { fill: #59636e; }
.number { font-variant-numeric: tabular-nums; }
.page { fill: #ffffff; stroke: #d1d9e0; }
.track { fill: #eff2f5; }
.bar0 { fill: #2f6fb0; } .bar1 { fill: #b35a1f; } .bar2 { fill: #3a7d44; } .bar3 { fill: #8250b8; }
@media (prefers-color-scheme: dark) {
text { fill: #e6edf3; }
.faint { fill: #9da7b3; }
.page { fill: #12161c; stroke: #3d444d; }
.track { fill: #232a33; }
.bar0 { fill: #5a9bdc; } .bar1 { fill: #e08a4a; } .bar2 { fill: #5cb26a; } .bar3 { fill: #b48cf0; }
}
</style>
)";

}  // namespace

Funnel funnel_of(const StrategySteps& steps) {
  Funnel funnel{.strategy = steps.strategy, .steps = {}};
  std::vector<std::string> labels = step_labels(steps);
  for (std::size_t i = 0; i < labels.size(); ++i) {
    const pipeline::Counts& counts = steps.manifests[i].counts;
    if (!counts.empty()) funnel.steps.push_back({std::move(labels[i]), counts.back().second});
  }
  return funnel;
}

std::vector<std::string> step_names(std::span<const Funnel> funnels) {
  std::vector<std::string> names;
  for (const Funnel& funnel : funnels) {
    std::size_t place = 0;  // behind the step before, so that a step of one funnel alone fits in
    for (const FunnelStep& step : funnel.steps) {
      const auto known = std::find(names.begin(), names.end(), step.name);
      if (known != names.end()) {
        place = std::max(place, static_cast<std::size_t>(known - names.begin()) + 1);
      } else {
        names.insert(names.begin() + static_cast<std::ptrdiff_t>(place), step.name);
        ++place;
      }
    }
  }
  return names;
}

std::optional<std::int64_t> count_after(const Funnel& funnel, std::string_view step) {
  for (const FunnelStep& candidate : funnel.steps) {
    if (candidate.name == step) return candidate.count;
  }
  return std::nullopt;
}

std::string count_and_share(const Funnel& funnel, std::int64_t count) {
  const std::int64_t first = funnel.steps.empty() ? 0 : funnel.steps.front().count;
  if (first <= 0) return with_thousands(count);
  return fmt::format("{} ({}%)", with_thousands(count),
                     percent(static_cast<double>(count) / static_cast<double>(first)));
}

std::string funnel_svg(std::string_view title, std::span<const Funnel> funnels) {
  const std::vector<std::string> steps = step_names(funnels);
  const Layout layout = layout_of(funnels, steps);
  std::string out = fmt::format(
      "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {0} {1}\" width=\"{0}\" "
      "height=\"{1}\" role=\"img\" aria-labelledby=\"funnel-title funnel-description\">\n"
      "<title id=\"funnel-title\">{2}: questions left after each step</title>\n"
      "<desc id=\"funnel-description\">{3}</desc>\n",
      layout.width, layout.height, xml_text(title), xml_text(description_of(funnels)));
  out += kStyle;
  out += fmt::format(
      "<rect class=\"page\" x=\"0.5\" y=\"0.5\" width=\"{}\" height=\"{}\" rx=\"8\"/>\n",
      layout.width - 1, layout.height - 1);
  const auto title_columns =
      static_cast<std::size_t>((layout.width - 2 * kMargin) / (kLetterWidth + 2));
  out += fmt::format(
      "<text class=\"title\" x=\"{0}\" y=\"34\">{1}</text>\n"
      "<text class=\"faint\" x=\"{0}\" y=\"55\">questions left after each step</text>\n",
      kMargin, xml_text(shortened(std::string(title), title_columns)));
  for (std::size_t i = 0; i < funnels.size(); ++i) {
    out +=
        fmt::format("<text class=\"head\" x=\"{}\" y=\"{}\">{}</text>\n", layout.column(i),
                    kTitleHeight + kHeaderHeight - 8, xml_text(shortened(funnels[i].strategy, 40)));
  }
  for (std::size_t step = 0; step < steps.size(); ++step) {
    out += fmt::format(
        "<text x=\"{}\" y=\"{}\">{}</text>\n", kMargin, layout.row(step) + kRowHeight / 2 + 5,
        xml_text(
            shortened(steps[step], static_cast<std::size_t>(layout.label_width / kLetterWidth))));
    for (std::size_t i = 0; i < funnels.size(); ++i) {
      append_cell(out, layout, i, step, funnels[i], count_after(funnels[i], steps[step]));
    }
  }
  return out + "</svg>\n";
}

}  // namespace contra4::report
