#include "contra4/apps/finetune_items.h"

#include <algorithm>
#include <optional>
#include <ostream>
#include <string>
#include <system_error>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "contra4/apps/output.h"
#include "contra4/apps/shown_input.h"
#include "contra4/base/error.h"
#include "contra4/data/item_reader.h"

namespace contra4::apps {

namespace {

namespace fs = std::filesystem;

constexpr const char* kReleasedNames[] = {"train_unanimous_permute_filter.json",
                                          "train_unanimous_permute_filter.json.gz"};
constexpr const char* kPublishedFolder = "data/final_data";
constexpr std::size_t kMaxNamedItems = 10;

// Rank 0 alone talks.
bool is_talking(const Context& context, const FinetuneFlags& flags) {
  return !context.quiet && find_job(context.environment, flags.job).rank == 0;
}

bool has_answer(const Item& item) {
  return item.answer && *item.answer < item.num_scenes();
}

std::vector<Item> read_items(std::span<const fs::path> files) {
  std::vector<Item> items;
  for (const fs::path& file : files) {
    auto dataset = data::load_dataset(file);
    std::move(dataset.items.begin(), dataset.items.end(), std::back_inserter(items));
  }
  return items;
}

void tell_unanswered(Context& context, std::span<const Item> unanswered, std::size_t num_items) {
  std::vector<std::string> names;
  for (const Item& item : unanswered.first(std::min(unanswered.size(), kMaxNamedItems))) {
    names.push_back(item.answer_text.empty()
                        ? item.id.text
                        : fmt::format("{} ('{:.40}')", item.id.text, item.answer_text));
  }
  if (unanswered.size() > names.size()) names.emplace_back("...");
  context.err << fmt::format("left out, being without an answer that names a scene: {} of {}: {}",
                             grouped(static_cast<std::int64_t>(unanswered.size())),
                             counted(static_cast<std::int64_t>(num_items), "item"),
                             fmt::join(names, ", "))
              << std::endl;
}

std::string names_of(std::span<const fs::path> files) {
  std::string names;
  for (const fs::path& file : files) names += (names.empty() ? "" : ", ") + file.string();
  return names;
}

// The files of all scenes; empty when one has none.
std::optional<std::vector<fs::path>> media_of(const Item& item,
                                              const media::MediaLocator& locator) {
  std::vector<fs::path> files;
  for (const Scene& scene : item.scenes) {
    auto file = locator.locate(scene.source, scene.id, scene.modality);
    if (!file) return std::nullopt;
    files.push_back(std::move(*file));
  }
  return files;
}

}  // namespace

std::vector<fs::path> training_files(const FinetuneFlags& flags, const Context& context) {
  if (!flags.data.empty()) return flags.data;
  const auto release = context.environment("CONTRA4_RELEASE");
  std::vector<fs::path> folders;
  if (release) folders.emplace_back(*release);
  folders.emplace_back(kPublishedFolder);
  std::error_code ignored;
  for (const fs::path& folder : folders) {
    for (const char* name : kReleasedNames) {
      if (fs::exists(folder / name, ignored)) return {folder / name};
    }
  }
  throw UsageError(fmt::format(
      "--data is needed: the default, {}, is not in {}", kReleasedNames[0],
      release ? fmt::format("{} (CONTRA4_RELEASE) nor in {}", *release, kPublishedFolder)
              : fmt::format("{}, and CONTRA4_RELEASE names no folder", kPublishedFolder)));
}

std::vector<TrainingItem> load_training_items(Context& context, const FinetuneFlags& flags,
                                              std::span<const fs::path> files,
                                              std::string_view role) {
  std::vector<Item> items = read_items(files);
  const std::size_t num_items = items.size();
  const auto unanswered = std::stable_partition(items.begin(), items.end(), has_answer);
  const std::vector<Item> without(std::make_move_iterator(unanswered),
                                  std::make_move_iterator(items.end()));
  items.erase(unanswered, items.end());
  const bool talks = is_talking(context, flags);
  if (!without.empty() && talks) tell_unanswered(context, without, num_items);
  if (items.empty()) {
    throw Exception(ErrorCode::kInvalidArgument,
                    fmt::format("{} {}: {}", role, names_of(files),
                                num_items == 0 ? "there is no question in it"
                                               : "no question in it has an answer"));
  }
  const auto locator = media_locator(context, flags.media_root);
  const bool was_quiet = std::exchange(context.quiet, !talks);
  require_media(context, locator, flags.skip_missing_media, items, "");
  context.quiet = was_quiet;
  std::vector<TrainingItem> found;
  found.reserve(items.size());
  for (Item& item : items) {
    auto media = media_of(item, locator);
    if (media) found.push_back({.item = std::move(item), .media = std::move(*media)});
  }
  if (found.empty()) {
    throw Exception(ErrorCode::kNotFound,
                    fmt::format("{} {}: no question has files for all of its scenes; --media-root "
                                "DIR says where they are",
                                role, names_of(files)));
  }
  if (found.size() < items.size() && talks) {
    context.err << fmt::format("{} of {} left out for missing media",
                               grouped(static_cast<std::int64_t>(items.size() - found.size())),
                               counted(static_cast<std::int64_t>(items.size()), "question"))
                << std::endl;
  }
  return found;
}

}  // namespace contra4::apps
