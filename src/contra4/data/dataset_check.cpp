#include "contra4/data/dataset_check.h"

#include <fmt/format.h>

#include "contra4/data/fingerprint_set.h"
#include "contra4/data/item_stream.h"
#include "contra4/data/json_scan.h"

namespace contra4::data {

namespace {

bool is_blank(std::string_view text) {
  return text.find_first_not_of(kJsonSpace) == std::string_view::npos;
}

bool is_same_medium(const Scene& a, const Scene& b) {
  return a.source == b.source && a.id == b.id;
}

void check_scenes(const Item& item, std::vector<ItemProblem>& problems) {
  if (item.num_scenes() < kMinScenes || item.num_scenes() > kMaxScenes) {
    problems.push_back({fmt::format("{} scene{}, {} to {} are needed", item.num_scenes(),
                                    item.num_scenes() == 1 ? "" : "s", kMinScenes, kMaxScenes)});
  }
  // Digits by hand: this runs for each row of a large file.
  const bool is_count_told = !item.q_type.empty();
  const bool is_count_right = item.q_type.size() == 4 && item.q_type.starts_with("mc_") &&
                              item.q_type[3] == '0' + item.num_scenes();
  if (is_count_told && !is_count_right) {
    problems.push_back({fmt::format("q_type is '{:.40}', but there are {} scenes", item.q_type,
                                    item.num_scenes())});
  }
  for (int i = 1; i < item.num_scenes(); ++i) {
    for (int j = 0; j < i; ++j) {
      if (is_same_medium(item.scenes[static_cast<std::size_t>(i)],
                         item.scenes[static_cast<std::size_t>(j)])) {
        problems.push_back(
            {fmt::format("{} is the same medium as {}", scene_name(i), scene_name(j)), true});
        break;
      }
    }
  }
}

void check_answer(const Item& item, bool is_required, std::vector<ItemProblem>& problems) {
  if (item.answer) return;
  if (!item.answer_text.empty()) {
    problems.push_back(
        {fmt::format("the answer names no scene: '{:.40}'", item.answer_text), !is_required});
  } else if (is_required) {
    problems.push_back({"there is no answer"});
  }
}

void check_captions(const Item& item, std::vector<ItemProblem>& problems) {
  for (int i = 0; i < item.num_scenes(); ++i) {
    if (is_blank(item.scenes[static_cast<std::size_t>(i)].caption())) {
      problems.push_back({fmt::format("{} has no caption", scene_name(i))});
    }
  }
}

}  // namespace

std::vector<ItemProblem> find_problems(const Item& item, const ItemRequirements& requirements) {
  std::vector<ItemProblem> problems;
  check_scenes(item, problems);
  if (requirements.question && item.question.empty()) {
    problems.push_back({"there is no question"});
  }
  check_answer(item, requirements.answer, problems);
  if (requirements.captions) check_captions(item, problems);
  return problems;
}

CheckSummary check_items(ItemReader& items, std::string_view what,
                         const ItemRequirements& requirements, const ProblemReport& report,
                         const std::stop_token& stop) {
  CheckSummary summary;
  FingerprintSet seen;
  while (!(summary.was_interrupted = stop.stop_requested())) {
    const auto item = items.next();
    if (!item) break;
    const std::uint64_t row = items.row();
    if (row > 0) ++summary.rows;
    if (!*item) {
      const ErrorCode code = item->error().code;
      ++summary.wrong_rows;
      report({row, items.id_text(), code, false, item->error().message});
      continue;
    }
    const Item& content = **item;
    ++summary.schema_rows[static_cast<std::size_t>(items.schema())];
    std::vector<ItemProblem> problems = find_problems(content, requirements);
    if (const auto before = seen.insert(content.id.text, row)) {
      problems.push_back({fmt::format("the id occurred before, in row {}", *before)});
    }
    bool is_wrong = false;
    for (const ItemProblem& problem : problems) {
      is_wrong |= !problem.is_warning;
      summary.warnings += problem.is_warning ? 1 : 0;
      report({row, content.id.text, ErrorCode::kInvalidArgument, problem.is_warning,
              describe_row(what, row, content.id.text, problem.reason)});
    }
    summary.wrong_rows += is_wrong ? 1 : 0;
  }
  summary.is_damaged = items.ended_early();
  if (summary.rows == 0 && summary.is_fine()) {
    ++summary.warnings;
    report({0, {}, ErrorCode::kInvalidArgument, true, describe_row(what, 0, {}, "no rows")});
  }
  return summary;
}

CheckSummary check_dataset(const std::filesystem::path& path, const CheckOptions& options,
                           const ProblemReport& report, const std::stop_token& stop) {
  const auto items = open_items(path, options.limits, Extras::kDrop);
  return check_items(*items, path.string(), options.requirements, report, stop);
}

}  // namespace contra4::data
