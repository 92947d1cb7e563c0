#include "contra4/apps/shown_input.h"

#include <ostream>
#include <vector>

#include <fmt/format.h>

#include "contra4/apps/arguments.h"
#include "contra4/apps/output.h"
#include "contra4/base/error.h"
#include "contra4/data/caption_table.h"

namespace contra4::apps {

namespace {

constexpr std::size_t kMaxNamedMedia = 10;

}  // namespace

void add_input_flags(CLI::App& app, InputFlags& flags) {
  app.option_defaults()->group("What the model is shown");
  app.add_option(
         "--input", flags.input,
         "media, oracle-captions (of the data set), predicted-captions (of --captions), "
         "random-captions (of other questions) or none [default: media if the model can see "
         "them, else oracle-captions]")
      ->type_name("KIND")
      ->transform(
          one_of({"media", "oracle-captions", "predicted-captions", "random-captions", "none"}));
  app.add_option("--captions", flags.captions,
                 "predicted captions: .jsonl, .json, .csv or .parquet with source, id, caption")
      ->type_name("FILE");
  add_media_file_flags(app, flags.media_root, flags.skip_missing_media);
}

void add_media_file_flags(CLI::App& app, std::optional<std::filesystem::path>& media_root,
                          bool& skip_missing_media) {
  app.add_option("--media-root", media_root,
                 "folder of media, SOURCE/ID or MODALITY/ID, looked into before the folders of "
                 "COCO_DIR, AUDIOCAPS_DIR, CLOTHO_DIR, MSRVTT_DIR, OBJAVERSE_DIR")
      ->type_name("DIR");
  app.add_flag("--skip-missing-media", skip_missing_media,
               "leave out questions whose media have no file, instead of refusing to start");
}

eval::InputKind input_kind_of(const InputFlags& flags, InputNeed need) {
  const auto kind = flags.input ? *eval::parse_input_kind(*flags.input) : eval::default_input(need);
  const bool is_predicted = kind == eval::InputKind::kPredictedCaptions;
  if (is_predicted && !flags.captions)
    throw UsageError("--input predicted-captions needs --captions");
  if (!is_predicted && flags.captions) {
    throw UsageError("--captions goes with --input predicted-captions");
  }
  eval::check_input(need, kind);
  return kind;
}

media::MediaLocator media_locator(const Context& context,
                                  const std::optional<std::filesystem::path>& media_root) {
  const auto folder = [&context](const char* name) {
    return std::filesystem::path(context.environment(name).value_or(""));
  };
  return media::MediaLocator({.coco_dir = folder("COCO_DIR"),
                              .audiocaps_dir = folder("AUDIOCAPS_DIR"),
                              .clotho_dir = folder("CLOTHO_DIR"),
                              .msrvtt_dir = folder("MSRVTT_DIR"),
                              .objaverse_dir = folder("OBJAVERSE_DIR"),
                              .objaverse_feat_dir = folder("OBJAVERSE_FEAT_DIR"),
                              .media_root = media_root.value_or("")});
}

void require_media(Context& context, const media::MediaLocator& locator, bool skips,
                   std::span<const Item> items, std::string_view advice) {
  const auto missing = media::find_missing_media(locator, eval::media_of(items));
  if (missing.empty()) return;
  std::string list;
  for (std::size_t i = 0; i < missing.size() && i < kMaxNamedMedia; ++i) {
    list += "\n  " + missing[i].error.message;
  }
  if (missing.size() > kMaxNamedMedia) {
    list += fmt::format("\n  ... and {} more",
                        grouped(static_cast<std::int64_t>(missing.size() - kMaxNamedMedia)));
  }
  const std::string words = fmt::format(
      "{} without a file{}",
      missing.size() == 1
          ? "1 medium of the questions is"
          : grouped(static_cast<std::int64_t>(missing.size())) + " media of the questions are",
      list);
  if (!skips) {
    throw Exception(
        ErrorCode::kNotFound,
        fmt::format("{}\n--skip-missing-media leaves their questions out{}", words, advice));
  }
  if (!context.quiet) context.err << "questions left out: " << words << std::endl;
}

std::unique_ptr<eval::SceneSource> make_scene_source(Context& context, const InputFlags& flags,
                                                     eval::InputKind kind,
                                                     const data::Dataset& dataset,
                                                     const eval::RequestPlan& plan,
                                                     std::uint64_t seed) {
  switch (kind) {
    case eval::InputKind::kOracleCaptions:
      return eval::show_gold_captions();
    case eval::InputKind::kPredictedCaptions:
      return eval::show_predicted_captions(data::CaptionTable::load(*flags.captions));
    case eval::InputKind::kRandomCaptions:
      return eval::show_random_captions(dataset.items, seed);
    case eval::InputKind::kNone:
      return eval::show_nothing();
    case eval::InputKind::kMedia:
      break;
  }
  auto locator = media_locator(context, flags.media_root);
  std::vector<Item> selected;
  for (std::size_t i = 0; i < plan.num_items(); ++i) {
    selected.push_back(plan.items()[plan.item_at(i)]);
  }
  require_media(context, locator, flags.skip_missing_media, selected,
                "; --input oracle-captions shows captions instead");
  return eval::show_media(std::move(locator));
}

}  // namespace contra4::apps
